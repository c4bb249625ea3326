import { unzipSync } from 'fflate';
import { BadInputError, messageOf } from '../errors';
import type { Tensor } from './dataset';
import { maxUnpackedBytes } from './gunzip';
import { parseNpy } from './npy';

/** Names under which an archive may hold the inputs, in order of preference. */
export const inputKeys: readonly string[] = ['x', 'images', 'inputs', 'x_test', 'data'];
/** Names under which an archive may hold the labels, in order of preference. */
export const labelKeys: readonly string[] = ['y', 'labels', 'y_test'];

/** Whether the file starts like a zip archive. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * Inputs and labels of a numpy archive (`numpy.savez`, `savez_compressed`); `labels` is undefined when the archive has
 * none. Only the two arrays are unpacked, and only if their declared sizes add up to at most `limit` bytes. Throws
 * BadInputError for a damaged archive, for one without inputs, and with the problems of its arrays.
 */
export function parseNpz(
  bytes: Uint8Array,
  name: string,
  limit = maxUnpackedBytes,
): { readonly inputs: Tensor; readonly labels: Tensor | undefined } {
  const sizes = declaredSizes(bytes, name);
  const [inputKey, labelKey] = [inputKeys, labelKeys].map((keys) => keys.find((key) => sizes.has(`${key}.npy`)));
  if (inputKey === undefined) {
    const found = [...sizes.keys()].map((file) => file.replace(/\.npy$/, ''));
    throw new BadInputError(name, [
      `has no inputs: it holds ${found.join(', ') || 'nothing'}; name the array one of ${inputKeys.join(', ')}`,
    ]);
  }
  const wanted = [inputKey, labelKey].flatMap((key) => (key === undefined ? [] : [`${key}.npy`]));
  const total = wanted.reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0);
  if (total > limit) throw new BadInputError(name, [`unpacks to ${total} bytes, more than ${limit}: split it`]);

  const files = unpack(bytes, name, (file) => wanted.includes(file));
  const problems: string[] = [];
  const array = (key: string): Tensor | undefined => {
    const file = files[`${key}.npy`];
    const declared = sizes.get(`${key}.npy`);
    try {
      if (file.length !== declared) {
        throw new BadInputError(name, [`unpacks to ${file.length} bytes where ${declared} are declared`]);
      }
      return parseNpy(file, name);
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems.map((problem) => `array ${key} ${problem}`));
      return undefined;
    }
  };
  const inputs = array(inputKey);
  const labels = labelKey === undefined ? undefined : array(labelKey);
  if (inputs === undefined || problems.length > 0) throw new BadInputError(name, problems);
  return { inputs, labels };
}

/** Unpacked size of each entry, as the archive declares it; unpacks nothing. */
function declaredSizes(bytes: Uint8Array, name: string): Map<string, number> {
  const sizes = new Map<string, number>();
  unpack(bytes, name, (file, size) => {
    sizes.set(file, size);
    return false;
  });
  return sizes;
}

function unpack(
  bytes: Uint8Array,
  name: string,
  wanted: (file: string, size: number) => boolean,
): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes, { filter: (file) => wanted(file.name, file.originalSize) });
  } catch (error) {
    throw new BadInputError(name, [`the zip archive is damaged (${messageOf(error)}): fetch the file again`], {
      cause: error,
    });
  }
}
