import { patternSize } from '../bounds/gradient';
import type { Programs } from '../bounds/programs';
import { floatTensor } from '../bounds/sessions';
import { chooseBits, createFingerprints, type Fingerprints, packPattern } from './fingerprint';

/** Bits kept of a pattern: beyond a thousand, more of them hardly change which balls are near each other. */
export const mostBits = 1024;
const sampled = 512;
/** Cap on the sample's pre-activations (128 MiB), and points that are taken nevertheless. */
const sampleFloats = 2 ** 25;
const fewestSampled = 32;
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
  const indices = sampledPoints(count);
  const sample = await sampleOf(programs, indices, point);
  const chosen = bitsOf(sample);
  // The sample is all there is, and known already.
  if (indices.length === count && sample.count === count) return printsOf(sample, chosen);
  return fingerprintsOf(programs, { length: count }, point, chosen);
}

/** Points, evenly spread over all, whose patterns tell which bits are kept. */
export function sampledPoints(count: number): number[] {
  return spread(count, sampled);
}

/** Which bits are recorded: those that vary most over the sample. None where no ReLU depends on the input: all balls are alike. */
export async function chosenBits(
  programs: Programs,
  sample: readonly number[],
  point: (index: number) => Float32Array,
): Promise<PatternBits> {
  return bitsOf(await sampleOf(programs, sample, point));
}

/** The patterns at points `first` ... `first + length - 1`, one row each, in the chosen bits. */
export async function fingerprintsOf(
  programs: Programs,
  { first = 0, length }: { readonly first?: number; readonly length: number },
  point: (index: number) => Float32Array,
  chosen: PatternBits,
): Promise<Fingerprints> {
  const { ids } = chosen;
  if (ids.length === 0) return createFingerprints(length, 1);
  const prints = createFingerprints(length, ids.length);
  const everyone = Array.from({ length }, (_, i) => first + i);
  await forEachCall(programs, everyone, point, (start, patterns) => pack(prints, start, patterns, chosen));
  return prints;
}

/** Pre-activations at some points. */
interface Patterns {
  readonly count: number;
  readonly size: number;
  /** [count, size] */
  readonly values: Float32Array;
}

/** The patterns at the points, or, of networks that are too large for that many, at fewer of them. */
async function sampleOf(
  programs: Programs,
  indices: readonly number[],
  point: (index: number) => Float32Array,
): Promise<Patterns> {
  const size = patternSize(programs.network);
  const kept = spread(indices.length, Math.max(fewestSampled, Math.floor(sampleFloats / Math.max(size, 1))));
  const values = new Float32Array(kept.length * size);
  const chosen = kept.map((i) => indices[i]);
  await forEachCall(programs, chosen, point, (start, patterns) => values.set(patterns.values, start * size));
  return { count: kept.length, size, values };
}

/** Which bits vary most over a sample; half a standard deviation of each ReLU's pre-activation is that over the sample. */
function bitsOf({ count, size, values }: Patterns): PatternBits {
  const [mean, added] = [new Float64Array(size), new Float64Array(size)];
  for (let at = 0; at < values.length; ) for (let relu = 0; relu < size; relu++) mean[relu] += values[at++];
  for (let relu = 0; relu < size; relu++) mean[relu] /= count;
  for (let at = 0; at < values.length; ) {
    for (let relu = 0; relu < size; relu++) {
      const difference = values[at++] - mean[relu];
      added[relu] += difference * difference;
    }
  }
  for (let relu = 0; relu < size; relu++) added[relu] = nearZero * Math.sqrt(added[relu] / count);
  const ones = new Uint32Array(2 * size);
  for (let at = 0; at < values.length; ) {
    for (let relu = 0; relu < size; relu++) {
      const value = values[at++];
      ones[2 * relu] += +(value > 0);
      ones[2 * relu + 1] += +(value + added[relu] > 0);
    }
  }
  const ids = chooseBits(ones, count, mostBits);
  return { ids, added: Float32Array.from(ids, (id) => (id % 2 === 0 ? 0 : added[id >> 1])) };
}

function printsOf(patterns: Patterns, chosen: PatternBits): Fingerprints {
  if (chosen.ids.length === 0) return createFingerprints(patterns.count, 1);
  const prints = createFingerprints(patterns.count, chosen.ids.length);
  pack(prints, 0, patterns, chosen);
  return prints;
}

/** Writes the rows of some points, from row `first`. */
function pack(
  prints: Fingerprints,
  first: number,
  { count, size, values }: Patterns,
  { ids, added }: PatternBits,
): void {
  const own = new Float32Array(ids.length);
  for (let i = 0; i < count; i++) {
    for (let bit = 0; bit < ids.length; bit++) own[bit] = values[i * size + (ids[bit] >> 1)] + added[bit];
    packPattern(prints, first + i, own);
  }
}

/** Calls back with what all ReLUs read at the points, some points at a time, in the order of `indices`; not where there are no ReLUs. */
async function forEachCall(
  programs: Programs,
  indices: readonly number[],
  point: (index: number) => Float32Array,
  use: (start: number, patterns: Patterns) => void,
): Promise<void> {
  const { network } = programs;
  const { inputSize } = network;
  const size = patternSize(network);
  if (size === 0) return;
  const session = await programs.preActivations();
  for (let start = 0; start < indices.length; start += pointsPerCall) {
    const part = indices.slice(start, start + pointsPerCall);
    const x = new Float32Array(part.length * inputSize);
    for (const [i, index] of part.entries()) x.set(point(index), i * inputSize);
    const { pre } = await session.run({ x: floatTensor(x, part.length) });
    use(start, { count: part.length, size, values: pre });
  }
}

/** At most `most` of the indices below `count`, evenly spread. */
function spread(count: number, most: number): number[] {
  const total = Math.min(most, count);
  return Array.from({ length: total }, (_, i) => Math.floor((i * count) / total));
}
