import { BadInputError } from '../errors';
import type { DataSet } from './dataset';

const itemBytes = 3 * 32 * 32;
const recordBytes = 1 + itemBytes;

/** Whether the size is that of CIFAR-10 binary records; the format has no magic. */
export function looksLikeCifar(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length % recordBytes === 0;
}

/**
 * CIFAR-10 binary version (A. Krizhevsky): records of one label byte and 3,072 pixel bytes, red plane, green plane, blue
 * plane, each row by row; so items of [3, 32, 32]. Throws BadInputError when the size is not a number of whole records.
 */
export function parseCifar(bytes: Uint8Array, name: string): DataSet {
  if (!looksLikeCifar(bytes)) {
    throw new BadInputError(name, [
      `has ${bytes.length} bytes, not a positive multiple of ${recordBytes}: is it a CIFAR-10 binary file, and whole?`,
    ]);
  }
  const count = bytes.length / recordBytes;
  const values = new Uint8Array(count * itemBytes);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = bytes[i * recordBytes];
    values.set(bytes.subarray(i * recordBytes + 1, (i + 1) * recordBytes), i * itemBytes);
  }
  return { count, shape: [3, 32, 32], values, labels };
}
