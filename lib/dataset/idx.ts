import { BadInputError } from '../errors';
import { sizeOf, type Tensor } from './dataset';
import { decodeElements, type ElementType, elementSize } from './elements';

/** Third byte of the magic number (Y. LeCun, "The IDX file format", MNIST database). */
const types: Readonly<Record<number, ElementType>> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };

/** Whether the file starts like IDX: two zero bytes, a known type, 1 to 8 dimensions. */
export function looksLikeIdx(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] in types && bytes[3] >= 1 && bytes[3] <= 8;
}

/**
 * An unpacked IDX file (MNIST): magic 0 0 type dimensions, each dimension as a big-endian uint32, big-endian values.
 * Throws BadInputError: wrong magic, truncated header, or a size that differs from the dimensions.
 */
export function parseIdx(bytes: Uint8Array, name: string): Tensor {
  if (!looksLikeIdx(bytes)) {
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new BadInputError(name, [
      `starts with "${start}", not with the IDX magic "00 00 <type> <dimensions>": is it an IDX file?`,
    ]);
  }
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new BadInputError(name, [`ends inside its header of ${start} bytes: fetch the file again`]);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const type = types[bytes[2]];
  const expected = sizeOf(shape) * elementSize(type);
  const body = bytes.subarray(start);
  if (body.length !== expected) {
    const what = body.length < expected ? 'is truncated' : 'has bytes left over';
    throw new BadInputError(name, [
      `${what}: its header says ${shape.join(' x ')} values (${expected} bytes), it holds ${body.length} bytes`,
    ]);
  }
  return { shape, values: decodeElements(body, type, false) };
}
