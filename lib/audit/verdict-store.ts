import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { engineVersion } from '../engine-version';
import { BadInputError, messageOf } from '../errors';
import { verdictsPrefix } from '../pipeline/keys';
import { parseJson, toLines } from '../pipeline/records';
import { sha256 } from '../policy/identity';
import { linesOf } from '../storage/lines';
import type { Storage } from '../storage/storage';

/** A verdict that holds for an item at a radius, whoever asks again. */
export const provenSchema = z.discriminatedUnion('verdict', [
  z.strictObject({
    verdict: z.literal('robust'),
    /** In pixel units. */
    epsilon: z.number().positive(),
    settledBy: z.string(),
    /** Proven lower bound of the smallest margin. */
    margin: z.number().positive(),
  }),
  z.strictObject({
    verdict: z.literal('not-robust'),
    epsilon: z.number().positive(),
    settledBy: z.string(),
    predicted: z.int(),
    /** Storage key of the witness. */
    witness: z.string(),
  }),
]);
export type Proven = z.infer<typeof provenSchema>;

const itemSchema = z.strictObject({ item: z.string(), balls: z.array(provenSchema) });
export type ItemVerdicts = z.infer<typeof itemSchema>;

const headerSchema = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  modelHash: z.string(),
  engine: z.string(),
  items: z.int().nonnegative(),
  /** SHA-256 of the lines after this one, hex. */
  sha256: z.string(),
});

/** A verdict and the run that found it. */
export type KnownVerdict = Proven & { readonly run: string };

/** What earlier runs found out on a model. */
export interface Knowledge {
  /** By item (lib/audit/item-keys.ts). */
  readonly byItem: ReadonlyMap<string, readonly KnownVerdict[]>;
  /** What is wrong with stored objects of which nothing was taken. */
  readonly ignored: readonly string[];
}

/** Stores what a run found out about a model; written again it is the same again. */
export async function writeVerdicts(
  storage: Storage,
  about: { readonly run: string; readonly modelHash: string },
  items: readonly ItemVerdicts[],
): Promise<void> {
  const body = toLines(items);
  const header = { version: 1, ...about, engine: engineVersion, items: items.length, sha256: sha256(body) };
  await storage.put(verdictsKey(about.modelHash, about.run), gzipSync(Buffer.concat([toLines([header]), body])));
}

const verdictsKey = (modelHash: string, run: string): string =>
  `${verdictsPrefix(modelHash, engineVersion)}${run}.jsonl.gz`;

/** Reads what earlier runs found out about a model with this engine. A damaged or foreign object is left out as a whole. */
export async function readVerdicts(storage: Storage, modelHash: string): Promise<Knowledge> {
  const byItem = new Map<string, KnownVerdict[]>();
  const ignored: string[] = [];
  for (const { key } of await storage.list(verdictsPrefix(modelHash, engineVersion))) {
    try {
      const { run, items } = decode(await storage.get(key), key, modelHash);
      for (const { item, balls } of items) {
        const known = byItem.get(item) ?? [];
        known.push(...balls.map((ball) => ({ ...ball, run })));
        byItem.set(item, known);
      }
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      ignored.push(`${error.subject}: ${error.problems.join('; ')}`);
    }
  }
  return { byItem, ignored };
}

function decode(bytes: Uint8Array, key: string, modelHash: string): { run: string; items: ItemVerdicts[] } {
  const content = unzipped(bytes, key);
  const end = content.indexOf(10) + 1;
  const header = parseJson(headerSchema, content.toString('utf8', 0, end), key);
  const body = content.subarray(end);
  const problems: string[] = [];
  if (sha256(body) !== header.sha256) problems.push('its content differs from its hash');
  if (header.modelHash !== modelHash) problems.push(`it is about the model ${header.modelHash}`);
  if (header.engine !== engineVersion) problems.push(`it is of the engine ${header.engine}`);
  if (problems.length > 0) throw new BadInputError(key, problems);
  const items: ItemVerdicts[] = [];
  for (const line of linesOf(body)) items.push(parseJson(itemSchema, line, `${key} line ${items.length + 2}`));
  return { run: header.run, items };
}

function unzipped(bytes: Uint8Array, key: string): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new BadInputError(key, [`it cannot be unpacked: ${messageOf(error)}`], { cause: error });
  }
}
