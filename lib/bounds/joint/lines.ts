import { roundDown, roundUp } from '../../region/outward';
import type { DenseChain } from '../dense/chain';
import type { NodeBounds } from '../forward-pass';
import { errorInflation, type Relaxation, relax } from '../relaxation';
import { gamma, unitRoundoff } from '../rounding';

/**
 * Lines that enclose ReLU on the ranges of K members, on the m neurons that some member may have active. Both lines of the others are 0 on all
 * members, so that leaving them out is exact.
 */
export interface JointLayer {
  /** The neurons, ascending. */
  readonly alive: Int32Array;
  /** [m] one slope for all members, and [K, m] the intercepts that make lines of it for each. */
  readonly lowerSlope: Float32Array;
  readonly upperSlope: Float32Array;
  readonly lowerIntercept: Float32Array;
  readonly upperIntercept: Float32Array;
  /** [K, m] each member's own lines. */
  readonly own: Relaxation;
}

/** More than float32 may flush to 0 of an intercept, which a coefficient multiplies. */
const flushed = 2 ** -100;

/** @param bounds [K, size] of what the layer's ReLUs read */
export function jointLayer(chain: DenseChain, k: number, { lower, upper, error }: NodeBounds): JointLayer {
  const { size } = chain.layers[k];
  const members = upper.length / size;
  const alive = aliveOnSome(upper, size);
  const m = alive.length;
  const terms = size + 4 * chain.layers.length + 64;
  const picked = { lower: pick(lower, alive, size), upper: pick(upper, alive, size), error: pick(error, alive, size) };
  const lowerSlope = new Float32Array(m);
  const upperSlope = new Float32Array(m);
  const lowerIntercept = new Float32Array(members * m);
  const upperIntercept = new Float32Array(members * m);
  const inflation = 2 * gamma(terms) + 8 * unitRoundoff;
  const ranges: Range[] = Array.from({ length: members }, () => ({ low: 0, high: 0 }));
  for (let j = 0; j < m; j++) {
    for (let i = 0; i < members; i++) {
      ranges[i].low = picked.lower[i * m + j];
      ranges[i].high = picked.upper[i * m + j];
    }
    lowerSlope[j] = sharedLowerSlope(ranges);
    upperSlope[j] = sharedUpperSlope(ranges);
    for (let i = 0; i < members; i++) {
      const { low, high } = ranges[i];
      const e = picked.error[i * m + j] * errorInflation;
      const below = lowestAbove(lowerSlope[j], low, high) - lowerSlope[j] * e;
      const above = highestAbove(upperSlope[j], low, high) + upperSlope[j] * e;
      // What the sums of a row's constant round, which grows with the absolute values of the intercepts.
      lowerIntercept[i * m + j] = roundDown(below - inflation * Math.abs(below) - flushed);
      upperIntercept[i * m + j] = roundUp(above + inflation * Math.abs(above) + flushed);
    }
  }
  const own = relax(picked.lower, picked.upper, picked.error, terms);
  for (let i = 0; i < own.upperSlope.length; i++) {
    if (own.upperSlope[i] !== 0) own.upperIntercept[i] = roundUp(own.upperIntercept[i] + flushed);
    if (own.lowerSlope[i] !== 0) own.lowerIntercept[i] = roundDown(own.lowerIntercept[i] - flushed);
  }
  return { alive, lowerSlope, upperSlope, lowerIntercept, upperIntercept, own };
}

/** A member's bounds of one neuron. */
interface Range {
  low: number;
  high: number;
}

/** The least of relu(z) - slope z over the range, for a slope in [0, 1]: the function is convex, with its minimum at 0 or the end next to it. */
export function lowestAbove(slope: number, low: number, high: number): number {
  if (low >= 0) return (1 - slope) * low;
  return high <= 0 ? -slope * high : spoiled(low, high);
}

/** The greatest of relu(z) - slope z over the range, for a slope in [0, 1]: convex, so it is at one of the ends. */
export function highestAbove(slope: number, low: number, high: number): number {
  return Math.max(Math.max(low, 0) - slope * low, Math.max(high, 0) - slope * high);
}

/** 0, but NaN where a bound is: then nothing is proven. */
function spoiled(low: number, high: number): number {
  return Number.isNaN(low) || Number.isNaN(high) ? Number.NaN : 0;
}

/** 0 or 1, whichever leaves less between ReLU and the members' lower lines. Any would be sound. */
function sharedLowerSlope(ranges: readonly Range[]): number {
  let [zero, one] = [0, 0];
  for (const { low, high } of ranges) {
    // What lies between: for a slope of 0 up to relu(high) - max(low, 0), for 1 up to -low less what the intercept wins.
    zero += Math.max(high, 0) - Math.max(low, 0);
    one += Math.max(-low, 0) - Math.max(-high, 0);
  }
  return one < zero ? 1 : 0;
}

/**
 * The slope that makes the sum of the members' upper intercepts least. The intercept of a member, max(-s low, (1 - s) high) where it is unstable,
 * falls by `high` per unit of s up to its own chord's slope and then rises by `-low`: the sum is least where its derivative changes sign.
 */
function sharedUpperSlope(ranges: readonly Range[]): number {
  const chords: { slope: number; width: number }[] = [];
  let derivative = 0;
  for (const { low, high } of ranges) {
    if (!(high > 0)) derivative -= low;
    else if (low >= 0) derivative -= high;
    else {
      derivative -= high;
      chords.push({ slope: high / (high - low), width: high - low });
    }
  }
  if (derivative >= 0) return 0;
  chords.sort((a, b) => a.slope - b.slope);
  for (const { slope, width } of chords) {
    derivative += width;
    if (derivative >= 0) return Math.fround(slope);
  }
  return 1;
}

/** Neurons that are not inactive on all members, and at least one, so that no product is empty; NaN counts as active. */
function aliveOnSome(upper: Float32Array, size: number): Int32Array {
  const list = new Int32Array(size);
  let count = 0;
  for (let j = 0; j < size; j++) {
    for (let i = j; i < upper.length; i += size) {
      if (upper[i] <= 0) continue;
      list[count++] = j;
      break;
    }
  }
  return list.slice(0, Math.max(count, 1));
}

/** The columns of a [K, size] table, [K, columns.length]. */
function pick(table: Float32Array, columns: Int32Array, size: number): Float32Array {
  const m = columns.length;
  const out = new Float32Array((table.length / size) * m);
  for (let i = 0, to = 0; to < out.length; i += size) {
    for (let j = 0; j < m; j++) out[to++] = table[i + columns[j]];
  }
  return out;
}
