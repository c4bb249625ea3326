import type { z } from 'zod';
import { BadInputError } from '../errors';
import { type RunRecord, type RunRequest, runRecordSchema, runRequestSchema } from '../schedule/records';
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
  const lines = (await getText(storage, key)).split('\n').filter((line) => line.length > 0);
  return lines.map((line, i) => parseJson(schema, line, `${key} line ${i + 1} in ${storage.location}`));
}

export function toLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

export function readRequest(storage: Storage, run: string): Promise<RunRequest> {
  return readJson(storage, requestKey(run), runRequestSchema);
}

export function readRecord(storage: Storage, run: string): Promise<RunRecord> {
  return readJson(storage, recordKey(run), runRecordSchema);
}
