import { type Random, random } from '../random';
import { type Fingerprints, ones, rowWords } from './fingerprint';
import { choosePivots, orient, type Pivots } from './pivots';

/**
 * A binary cluster tree of some inputs (those of one label), five bytes an input: the inputs in the order of its leaves, and
 * for each boundary between neighbours the depth of the node that divides there. Similar inputs stand together, and a
 * shallow boundary divides what differs much.
 */
export interface ClusterTree {
  /** A permutation of the members. */
  readonly order: Uint32Array;
  /** [order.length] Depth of the node (root: 0) whose cut lies between order[i - 1] and order[i]; entry 0 is 0. */
  readonly depths: Uint8Array;
}

/** Rows to sort by insertion; more are sorted by counting. */
const fewRows = 32;

/** What the recursion works on. */
interface Work {
  readonly prints: Fingerprints;
  readonly rng: Random;
  readonly order: Uint32Array;
  readonly depths: Uint8Array;
  /** By position: how many of the bits that differ between the pivots the row shares with the second. */
  readonly keys: Uint32Array;
  readonly sortedOrder: Uint32Array;
  readonly sortedKeys: Uint32Array;
  /** [bits + 2] */
  readonly histogram: Uint32Array;
  /** The pivots of the node of each depth on the path to the current one. */
  readonly pivots: Pivots[];
}

/**
 * The cluster tree of `members` (rows of `prints`) by top-down bisection, O(N log N) in time and O(N) in memory. A node
 * is cut along the line between two far-apart patterns (`choosePivots`): its members are sorted by how much nearer they
 * are to the second than to the first, and cut where that leaves the two sides least scattered (Otsu 1979, "A threshold
 * selection method from gray-level histograms"), each with a quarter of the members at least. Of the two sides the one
 * nearer to the preceding node comes first. The same seed gives the same tree.
 */
export function buildTree(prints: Fingerprints, members: ArrayLike<number>, seed: number): ClusterTree {
  const order = Uint32Array.from(members);
  const count = order.length;
  const work: Work = {
    prints,
    rng: random(seed),
    order,
    depths: new Uint8Array(count),
    keys: new Uint32Array(count),
    sortedOrder: new Uint32Array(count),
    sortedKeys: new Uint32Array(count),
    histogram: new Uint32Array(prints.bits + 2),
    pivots: [],
  };
  divide(work, 0, count, 0, undefined, undefined);
  return { order, depths: work.depths };
}

/** Orders entries start to end; `before` and `after` are patterns near those of the neighbours on either side. */
function divide(
  work: Work,
  start: number,
  end: number,
  depth: number,
  before: Uint32Array | undefined,
  after: Uint32Array | undefined,
): void {
  if (end - start < 2) return;
  const width = rowWords(work.prints.bits);
  work.pivots[depth] ??= { first: new Uint32Array(width), second: new Uint32Array(width) };
  const pivots = work.pivots[depth];
  if (!choosePivots(work.prints, work.order, start, end, work.rng, pivots)) {
    halve(work.depths, start, end, depth);
    return;
  }
  orient(pivots, before, after);
  measure(work, start, end, pivots);
  if (end - start <= fewRows) insertionSort(work, start, end);
  else countingSort(work, start, end);
  const cut = bestCut(work.keys, start, end);
  work.depths[cut] = depth;
  divide(work, start, cut, depth + 1, before, pivots.second);
  divide(work, cut, end, depth + 1, pivots.first, after);
}

/** Equal rows: any tree of them will do, so a balanced one. */
function halve(depths: Uint8Array, start: number, end: number, depth: number): void {
  if (end - start < 2) return;
  const middle = (start + end) >>> 1;
  depths[middle] = depth;
  halve(depths, start, middle, depth + 1);
  halve(depths, middle, end, depth + 1);
}

function measure({ prints, order, keys }: Work, start: number, end: number, { first, second }: Pivots): void {
  const { words } = prints;
  const width = first.length;
  for (let i = start; i < end; i++) {
    const offset = order[i] * width;
    let key = 0;
    for (let word = 0; word < width; word++) {
      key += ones((words[offset + word] ^ first[word]) & (first[word] ^ second[word]));
    }
    keys[i] = key;
  }
}

function insertionSort({ order, keys }: Work, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const key = keys[i];
    const row = order[i];
    let j = i;
    for (; j > start && keys[j - 1] > key; j--) {
      keys[j] = keys[j - 1];
      order[j] = order[j - 1];
    }
    keys[j] = key;
    order[j] = row;
  }
}

function countingSort({ order, keys, sortedOrder, sortedKeys, histogram }: Work, start: number, end: number): void {
  let most = 0;
  for (let i = start; i < end; i++) if (keys[i] > most) most = keys[i];
  histogram.fill(0, 0, most + 2);
  for (let i = start; i < end; i++) histogram[keys[i] + 1]++;
  for (let key = 1; key <= most; key++) histogram[key] += histogram[key - 1];
  for (let i = start; i < end; i++) {
    const to = start + histogram[keys[i]]++;
    sortedKeys[to] = keys[i];
    sortedOrder[to] = order[i];
  }
  keys.set(sortedKeys.subarray(start, end), start);
  order.set(sortedOrder.subarray(start, end), start);
}

/**
 * Where to cut the sorted keys: between unequal ones, where the variance between the two sides is largest; of equal
 * variances nearest to the middle. The middle where the keys of the inner half are all equal.
 */
function bestCut(keys: Uint32Array, start: number, end: number): number {
  const count = end - start;
  const lowest = start + Math.ceil(count / 4);
  const highest = start + Math.floor((3 * count) / 4);
  const middle = (start + end) >>> 1;
  let total = 0;
  for (let i = start; i < end; i++) total += keys[i];
  let left = 0;
  for (let i = start; i < lowest; i++) left += keys[i];
  let best = middle;
  let most = -1;
  for (let cut = lowest; cut <= highest; left += keys[cut++]) {
    if (keys[cut - 1] === keys[cut]) continue;
    const gap = (total - left) / (end - cut) - left / (cut - start);
    const between = gap * gap * (cut - start) * (end - cut);
    if (between > most || (between === most && Math.abs(cut - middle) < Math.abs(best - middle))) {
      [best, most] = [cut, between];
    }
  }
  return best;
}
