import type { z } from 'zod';
import { BadInputError } from '../errors';
import { encodePieces } from '../report/encode';
import { type RunRecord, type RunRequest, runRecordSchema, runRequestSchema } from '../schedule/records';
import { linesOf } from '../storage/lines';
import { getText, type Storage } from '../storage/storage';
import { recordKey, requestKey } from './keys';

/** Parses what storage holds; BadInputError with every problem and its place. */
export function parseJson<T>(schema: z.ZodType<T>, text: string, subject: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadInputError(subject, ['it is not JSON'], { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BadInputError(
    subject,
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'top level'}: ${message}`),
  );
}

export async function readJson<T>(storage: Storage, key: string, schema: z.ZodType<T>): Promise<T> {
  return parseJson(schema, await getText(storage, key), `${key} in ${storage.location}`);
}

/** One value a line. */
export async function readLines<T>(storage: Storage, key: string, schema: z.ZodType<T>): Promise<T[]> {
  const values: T[] = [];
  for (const line of linesOf(await storage.get(key))) {
    if (line !== '') values.push(parseJson(schema, line, `${key} line ${values.length + 1} in ${storage.location}`));
  }
  return values;
}

/** One value a line, as UTF-8; the values are asked for twice and must be the same (`encodePieces`). */
export function toLines(values: Iterable<unknown>): Buffer {
  return encodePieces(() => pieces(values));
}

/** Characters of a piece, or a little more. */
const pieceLength = 2 ** 16;

function* pieces(values: Iterable<unknown>): Generator<string> {
  let text = '';
  for (const value of values) {
    text += `${JSON.stringify(value)}\n`;
    if (text.length < pieceLength) continue;
    yield text;
    text = '';
  }
  yield text;
}

export function readRequest(storage: Storage, run: string): Promise<RunRequest> {
  return readJson(storage, requestKey(run), runRequestSchema);
}

export function readRecord(storage: Storage, run: string): Promise<RunRecord> {
  return readJson(storage, recordKey(run), runRecordSchema);
}
