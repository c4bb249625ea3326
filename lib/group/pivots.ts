import type { Random } from '../random';
import { distance, type Fingerprints, ones, rowWords } from './fingerprint';

/** Two patterns [words of a row] between which a node of the tree is divided. */
export interface Pivots {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/** Members that are looked at for two far-apart ones. */
const sampled = 24;

/**
 * From so many members on, the pivots are refined, in so many steps at most, to the majority patterns of the two halves of
 * a sample: a quarter of the members, at most so many.
 */
const refinedFrom = 64;
const refinements = 3;
const largestSample = 1024;

/**
 * Writes two far-apart patterns among rows members[start] ... members[end - 1] into `pivots`. False when all rows are
 * equal. In a sample, the row farthest from a random one, and the row farthest from that; for large nodes both are then
 * replaced by the bitwise majority of the sample's rows nearer to them (k-means with k = 2 in Hamming space), so that a
 * node is not divided by the noise of two outliers.
 */
export function choosePivots(
  prints: Fingerprints,
  members: Uint32Array,
  start: number,
  end: number,
  rng: Random,
  pivots: Pivots,
): boolean {
  const width = rowWords(prints.bits);
  const { words } = prints;
  const sample = sampleOf(members, start, end, sampled, rng);
  const from = sample[sample.length - 1];
  let first = farthest(words, width, sample, from);
  let second = farthest(words, width, sample, first);
  if (isEqual(words, width, first, second)) {
    const all = members.subarray(start, end);
    first = from;
    second = farthest(words, width, all, first);
    if (isEqual(words, width, first, second)) return false;
  }
  pivots.first.set(words.subarray(first * width, (first + 1) * width));
  pivots.second.set(words.subarray(second * width, (second + 1) * width));
  if (end - start >= refinedFrom) {
    const rows = sampleOf(members, start, end, Math.min((end - start) >>> 2, largestSample), rng);
    for (let step = 0; step < refinements; step++) {
      if (!refine(prints, rows, pivots)) break;
    }
  }
  return true;
}

/** Exchanges the pivots where the first is then nearer to `before` and the second to `after`. */
export function orient(pivots: Pivots, before: Uint32Array | undefined, after: Uint32Array | undefined): void {
  const width = pivots.first.length;
  const between = (a: Uint32Array, b: Uint32Array | undefined): number =>
    b === undefined ? 0 : distance(a, 0, b, 0, width);
  const straight = between(pivots.first, before) + between(pivots.second, after);
  const exchanged = between(pivots.second, before) + between(pivots.first, after);
  if (straight <= exchanged) return;
  const held = pivots.first.slice();
  pivots.first.set(pivots.second);
  pivots.second.set(held);
}

/**
 * Moves each pivot to the majority of the rows that are nearer to it. False, with the pivots as they were, when that
 * would change nothing or leave one of them without rows or equal to the other.
 */
function refine(prints: Fingerprints, rows: Uint32Array, pivots: Pivots): boolean {
  const { words, bits } = prints;
  const width = rowWords(bits);
  const counts = [new Uint16Array(bits), new Uint16Array(bits)];
  const sizes = [0, 0];
  for (const row of rows) {
    const side = nearness(words, row * width, pivots) > 0 ? 1 : 0;
    sizes[side]++;
    addBits(counts[side], words, row * width);
  }
  if (sizes[0] === 0 || sizes[1] === 0) return false;
  const moved = counts.map((count, side) => majority(count, sizes[side], width));
  if (distance(moved[0], 0, moved[1], 0, width) === 0) return false;
  const steps = distance(moved[0], 0, pivots.first, 0, width) + distance(moved[1], 0, pivots.second, 0, width);
  pivots.first.set(moved[0]);
  pivots.second.set(moved[1]);
  return steps > 0;
}

/** How much farther from the first pivot than from the second a row is. */
function nearness(words: Uint32Array, offset: number, { first, second }: Pivots): number {
  let sum = 0;
  for (let word = 0; word < first.length; word++) {
    const row = words[offset + word];
    sum += ones(row ^ first[word]) - ones(row ^ second[word]);
  }
  return sum;
}

function addBits(counts: Uint16Array, words: Uint32Array, offset: number): void {
  for (let bit = 0; bit < counts.length; bit++) counts[bit] += (words[offset + (bit >>> 5)] >>> (bit & 31)) & 1;
}

function majority(counts: Uint16Array, size: number, width: number): Uint32Array {
  const pattern = new Uint32Array(width);
  for (let bit = 0; bit < counts.length; bit++) {
    if (2 * counts[bit] > size) pattern[bit >>> 5] |= 1 << (bit & 31);
  }
  return pattern;
}

function farthest(words: Uint32Array, width: number, rows: Uint32Array, from: number): number {
  let best = from;
  let most = 0;
  for (const row of rows) {
    const far = distance(words, row * width, words, from * width, width);
    if (far > most) [best, most] = [row, far];
  }
  return best;
}

function isEqual(words: Uint32Array, width: number, a: number, b: number): boolean {
  return a === b || distance(words, a * width, words, b * width, width) === 0;
}

/** All members, or `most` random ones (of which some may be the same). */
function sampleOf(members: Uint32Array, start: number, end: number, most: number, rng: Random): Uint32Array {
  if (end - start <= most) return members.subarray(start, end);
  const sample = new Uint32Array(most);
  for (let i = 0; i < most; i++) sample[i] = members[start + rng.int(end - start)];
  return sample;
}
