import { networkLimits } from '../network/limits';
import type { Storage } from '../storage/storage';

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
