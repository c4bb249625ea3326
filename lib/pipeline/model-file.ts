import { modelHash } from '../network/hash';
import { modelSizeProblem, networkLimits } from '../network/limits';
import { MissingKeyError, type Storage } from '../storage/storage';

/**
 * A model's file, or so much of one that is too large that reading it refuses it: anybody may have uploaded anything under the key. Throws
 * MissingKeyError.
 */
export async function readModelFile(storage: Storage, key: string): Promise<Uint8Array> {
  try {
    return await storage.getRange(key, 0, networkLimits.modelBytes + 1);
  } catch (error) {
    // An object without a single byte has no range.
    if (error instanceof RangeError) return new Uint8Array(0);
    throw error;
  }
}

/** Which model lies under a key. */
export type ModelIdentity =
  /** SHA-256 of the file, hex. */
  | { readonly kind: 'model'; readonly hash: string }
  /** Nothing of it was read. */
  | { readonly kind: 'too large'; readonly problem: string }
  | { readonly kind: 'missing' };

/** Hashes a model, unless its size alone says that it will be refused: storage is asked for the size before any of it is read. */
export async function identifyModel(storage: Storage, key: string): Promise<ModelIdentity> {
  const stored = (await storage.list(key)).find((object) => object.key === key);
  if (stored === undefined) return { kind: 'missing' };
  const tooLarge = sizeRefused(key, stored.size);
  if (tooLarge) return tooLarge;
  try {
    const bytes = await readModelFile(storage, key);
    // It may have been replaced since its size was asked for.
    return sizeRefused(key, bytes.length) ?? { kind: 'model', hash: modelHash(bytes) };
  } catch (error) {
    if (error instanceof MissingKeyError) return { kind: 'missing' };
    throw error;
  }
}

function sizeRefused(key: string, bytes: number): ModelIdentity | undefined {
  const problem = modelSizeProblem(bytes);
  return problem === undefined ? undefined : { kind: 'too large', problem: `${key} ${problem}` };
}
