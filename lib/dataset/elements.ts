import { endianness } from 'node:os';
import type { RawValues } from './dataset';

/** Number types of stored arrays, by kind (unsigned, signed, float) and bytes, as numpy writes them. */
export type ElementType = 'u1' | 'u2' | 'u4' | 'u8' | 'i1' | 'i2' | 'i4' | 'i8' | 'f4' | 'f8';

export const elementTypes: readonly ElementType[] = ['u1', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f4', 'f8'];

/** Bytes of one element. */
export function elementSize(type: ElementType): number {
  return Number(type[1]);
}

const hostIsLittle = endianness() === 'LE';

/** A copy of the bytes in which every group of `size` bytes is in the host's order. */
function hostOrder(bytes: Uint8Array, size: number, littleEndian: boolean): Buffer<ArrayBuffer> {
  // A fresh ArrayBuffer, so that typed arrays of any element size are aligned.
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  if (littleEndian !== hostIsLittle) {
    if (size === 2) copy.swap16();
    else if (size === 4) copy.swap32();
    else if (size === 8) copy.swap64();
  }
  return copy;
}

/**
 * Values from their stored form. uint8, float32 and float64 keep their type, other integers become float64. The length
 * of `bytes` must be a multiple of the element size. Throws RangeError for a 64-bit integer that float64 cannot hold.
 */
export function decodeElements(bytes: Uint8Array, type: ElementType, littleEndian: boolean): RawValues {
  const { buffer } = hostOrder(bytes, elementSize(type), littleEndian);
  switch (type) {
    case 'u1':
      return new Uint8Array(buffer);
    case 'f4':
      return new Float32Array(buffer);
    case 'f8':
      return new Float64Array(buffer);
    case 'u2':
      return Float64Array.from(new Uint16Array(buffer));
    case 'u4':
      return Float64Array.from(new Uint32Array(buffer));
    case 'i1':
      return Float64Array.from(new Int8Array(buffer));
    case 'i2':
      return Float64Array.from(new Int16Array(buffer));
    case 'i4':
      return Float64Array.from(new Int32Array(buffer));
    case 'i8':
      return fromBigInts(new BigInt64Array(buffer));
    case 'u8':
      return fromBigInts(new BigUint64Array(buffer));
  }
}

function fromBigInts(values: BigInt64Array | BigUint64Array): Float64Array {
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    out[i] = Number(values[i]);
    if (!Number.isSafeInteger(out[i])) throw new RangeError(`value ${values[i]} at ${i} is beyond 2^53`);
  }
  return out;
}

/** The values as little-endian bytes: a view where the host is little-endian. */
export function littleEndianBytes(values: RawValues | Int32Array): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return hostIsLittle ? bytes : hostOrder(bytes, values.BYTES_PER_ELEMENT, true);
}
