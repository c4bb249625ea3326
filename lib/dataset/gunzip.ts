import { gunzipSync } from 'node:zlib';
import { BadInputError, messageOf } from '../errors';

/** No file may unpack to more than this, whatever it claims. */
export const maxUnpackedBytes = 2 ** 31;

/**
 * The content of a file that may be gzipped (known by its magic bytes 1f 8b); other files are returned as they are.
 * Throws BadInputError for a damaged or truncated stream and for one that unpacks to more than `limit` bytes.
 */
export function gunzipped(bytes: Uint8Array, name: string, limit = maxUnpackedBytes): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: limit });
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const problem = tooLarge
      ? `unpacks to more than ${limit} bytes: split it`
      : `the gzip stream is truncated or damaged (${messageOf(error)}): fetch the file again`;
    throw new BadInputError(name, [problem], { cause: error });
  }
}
