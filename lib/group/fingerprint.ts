import { BadInputError } from '../errors';

/**
 * Activation patterns of a network at the centres of balls: bits that tell where pre-activations are positive, or nearly so
 * (`PatternBits`). Balls with near patterns (Hamming distance) have similar computations.
 */
export interface Fingerprints {
  readonly count: number;
  readonly bits: number;
  /** [count, ceil(bits / 32)] row-major; bit j of a row is bit j % 32 of word floor(j / 32); bits beyond are 0. */
  readonly words: Uint32Array;
}

/** Words of one row. */
export function rowWords(bits: number): number {
  return Math.ceil(bits / 32);
}

/** Fingerprints of all zeros, to be filled with `packPattern`. */
export function createFingerprints(count: number, bits: number): Fingerprints {
  return { count, bits, words: new Uint32Array(count * rowWords(bits)) };
}

/** Writes row `row` from a number for each bit [at least bits], pre-activations say: 1 where it is positive. NaN counts as not positive. */
export function packPattern({ bits, words }: Fingerprints, row: number, values: ArrayLike<number>): void {
  const width = rowWords(bits);
  for (let word = 0; word < width; word++) {
    const end = Math.min(bits, (word + 1) * 32);
    let packed = 0;
    for (let bit = word * 32; bit < end; bit++) if (values[bit] > 0) packed |= 1 << (bit % 32);
    words[row * width + word] = packed;
  }
}

/** In how many bits two rows differ. */
export function hamming(prints: Fingerprints, i: number, j: number): number {
  const width = rowWords(prints.bits);
  return distance(prints.words, i * width, prints.words, j * width, width);
}

/** Hamming distance of `width` words from `offsetA` and from `offsetB`. */
export function distance(a: Uint32Array, offsetA: number, b: Uint32Array, offsetB: number, width: number): number {
  let sum = 0;
  for (let word = 0; word < width; word++) sum += ones(a[offsetA + word] ^ b[offsetB + word]);
  return sum;
}

/** Number of ones among 32 bits (Warren, "Hacker's Delight", section 5-1). */
export function ones(bits: number): number {
  let x = bits - ((bits >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  x += x >>> 8;
  return (x + (x >>> 16)) & 0x3f;
}

/**
 * Which `most` bits of patterns to record where there are more than one wants to store, from a sample of patterns: those
 * whose bit varies most over the sample (p (1 - p) for a share p of ones), since constant ones tell inputs not apart. Ties
 * go evenly over the network. Ascending.
 *
 * @param ones [bits] in how many of the `samples` patterns each bit is 1
 */
export function chooseBits(ones: Uint32Array, samples: number, most: number): Uint32Array {
  const bits = Uint32Array.from({ length: ones.length }, (_, bit) => bit);
  if (bits.length <= most) return bits;
  const spread = Float64Array.from(ones, (count) => count * (samples - count));
  // Equal spreads in the order of a golden-ratio walk, which visits every part of the network alike.
  const turn = Float64Array.from(bits, (bit) => (bit * 0.6180339887498949) % 1);
  return bits
    .sort((a, b) => spread[b] - spread[a] || turn[a] - turn[b])
    .slice(0, most)
    .sort();
}

const magic = 0x50465642; // 'BVFP'

/** The fingerprints as bytes: 'BVFP', version 1, count and bits as uint32, then the rows; little-endian. */
export function encodeFingerprints(prints: Fingerprints): Uint8Array {
  const head = new Uint32Array([magic, 1, prints.count, prints.bits]);
  const bytes = new Uint8Array(head.byteLength + prints.words.byteLength);
  bytes.set(new Uint8Array(head.buffer), 0);
  bytes.set(new Uint8Array(prints.words.buffer, prints.words.byteOffset, prints.words.byteLength), head.byteLength);
  return bytes;
}

/** The fingerprints of `encodeFingerprints`. BadInputError when the bytes are not such. */
export function decodeFingerprints(bytes: Uint8Array): Fingerprints {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fix = 'delete it and plan the run again';
  if (bytes.length < 16 || view.getUint32(0, true) !== magic || view.getUint32(4, true) !== 1) {
    throw new BadInputError('fingerprints', [`the object does not begin as one of version 1; ${fix}`]);
  }
  const [count, bits] = [view.getUint32(8, true), view.getUint32(12, true)];
  const expected = 16 + 4 * count * rowWords(bits);
  if (bytes.length !== expected) {
    throw new BadInputError('fingerprints', [
      `${bytes.length} bytes instead of ${expected} for ${count} rows of ${bits} bits; ${fix}`,
    ]);
  }
  return { count, bits, words: new Uint32Array(new Uint8Array(bytes.subarray(16)).buffer) };
}
