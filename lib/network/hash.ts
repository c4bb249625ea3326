import { createHash } from 'node:crypto';

/** Identity of a model: SHA-256 of the file's bytes, in hexadecimal. */
export function modelHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
