import type { Programs } from '../bounds/programs';
import { floatTensor } from '../bounds/sessions';
import { chooseBits, createFingerprints, type Fingerprints, packPattern } from './fingerprint';

/** Bits kept of a pattern: beyond a thousand, more of them hardly change which balls are near each other. */
export const mostBits = 1024;
const sampled = 512;
const pointsPerCall = 64;

/** How far below zero a pre-activation counts as near it, in standard deviations over the sample. */
const nearZero = 0.5;

/**
 * What a fingerprint records: per bit a ReLU, and what is added to its pre-activation before its sign is taken. Each ReLU has two bits:
 * active (nothing added), and active or near it (half a standard deviation added). Members of a mini-batch share the neurons that are
 * possibly active on any of their *balls*, not only at the centres: with the second bit they share fewer, the more so the
 * larger the radius (docs/schedule.md; `npm run bench -- similarity`).
 */
export interface PatternBits {
  /** [bits] Twice the index of the ReLU, plus 1 for the second bit; ascending. */
  readonly ids: Uint32Array;
  /** [bits] */
  readonly added: Float32Array;
}

/**
 * The activation patterns of a network at `count` points, `point(i)` each [inputSize]: two bits per ReLU that the scores depend on, or the
 * `mostBits` that vary most over a sample where there are more.
 */
export async function fingerprintsAt(
  programs: Programs,
  count: number,
  point: (index: number) => Float32Array,
): Promise<Fingerprints> {
  const chosen = await chosenBits(programs, sampledPoints(count), point);
  return fingerprintsOf(programs, { length: count }, point, chosen);
}

/** Points, evenly spread over all, whose patterns tell which bits are kept. */
export function sampledPoints(count: number): number[] {
  const total = Math.min(sampled, count);
  return Array.from({ length: total }, (_, i) => Math.floor((i * count) / total));
}

/** Which bits are recorded: those that vary most over the sample. None where no ReLU depends on the input: all balls are alike. */
export async function chosenBits(
  programs: Programs,
  sample: readonly number[],
  point: (index: number) => Float32Array,
): Promise<PatternBits> {
  const added = await nearness(programs, sample, point);
  const inSample = createFingerprints(sample.length, 2 * added.length);
  const values = new Float32Array(2 * added.length);
  await forEachPattern(programs, sample, point, (row, pattern) => {
    for (const [relu, value] of pattern.entries()) {
      values[2 * relu] = value;
      values[2 * relu + 1] = value + added[relu];
    }
    packPattern(inSample, row, values);
  });
  const ids = added.length === 0 ? new Uint32Array(0) : chooseBits(inSample, mostBits);
  return { ids, added: Float32Array.from(ids, (id) => (id % 2 === 0 ? 0 : added[id >> 1])) };
}

/** Half a standard deviation of each ReLU's pre-activation over the sample (Welford 1962). */
async function nearness(
  programs: Programs,
  sample: readonly number[],
  point: (index: number) => Float32Array,
): Promise<Float64Array> {
  let mean = new Float64Array(0);
  let squares = new Float64Array(0);
  let seen = 0;
  await forEachPattern(programs, sample, point, (_, pattern) => {
    if (seen++ === 0) [mean, squares] = [new Float64Array(pattern.length), new Float64Array(pattern.length)];
    for (const [relu, value] of pattern.entries()) {
      const off = value - mean[relu];
      mean[relu] += off / seen;
      squares[relu] += off * (value - mean[relu]);
    }
  });
  return squares.map((sum) => nearZero * Math.sqrt(sum / seen));
}

/** The patterns at points `first` ... `first + length - 1`, one row each, in the chosen bits. */
export async function fingerprintsOf(
  programs: Programs,
  { first = 0, length }: { readonly first?: number; readonly length: number },
  point: (index: number) => Float32Array,
  { ids, added }: PatternBits,
): Promise<Fingerprints> {
  if (ids.length === 0) return createFingerprints(length, 1);
  const prints = createFingerprints(length, ids.length);
  const everyone = Array.from({ length }, (_, i) => first + i);
  const values = new Float32Array(ids.length);
  await forEachPattern(programs, everyone, point, (row, pattern) => {
    for (let bit = 0; bit < ids.length; bit++) values[bit] = pattern[ids[bit] >> 1] + added[bit];
    packPattern(prints, row, values);
  });
  return prints;
}

/** Calls back with the pre-activations of all ReLUs at each point, in the order of `indices`. */
async function forEachPattern(
  programs: Programs,
  indices: readonly number[],
  point: (index: number) => Float32Array,
  use: (row: number, preActivations: Float32Array) => void,
): Promise<void> {
  const session = await programs.gradient();
  const { inputSize, classes } = programs.network;
  for (let start = 0; start < indices.length; start += pointsPerCall) {
    const part = indices.slice(start, start + pointsPerCall);
    const x = new Float32Array(part.length * inputSize);
    for (const [i, index] of part.entries()) x.set(point(index), i * inputSize);
    const out = await session.run({
      x: floatTensor(x, part.length),
      coefficients: floatTensor(new Float32Array(part.length * classes), part.length),
    });
    const layers = Object.keys(out).filter((name) => name.startsWith('pre'));
    for (const i of part.keys()) {
      const own = layers.map((name) => {
        const size = out[name].length / part.length;
        return out[name].subarray(i * size, (i + 1) * size);
      });
      const all = new Float32Array(own.reduce((sum, layer) => sum + layer.length, 0));
      let at = 0;
      for (const layer of own) {
        all.set(layer, at);
        at += layer.length;
      }
      use(start + i, all);
    }
  }
}
