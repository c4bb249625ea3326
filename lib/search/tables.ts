import { gamma } from '../bounds/rounding';
import { roundUp } from '../region/outward';
import type { Problem } from './problem';
import type { Scratch } from './scratch';
import type { SubProblem } from './sub-problem';

/** What the steps of a batch read and change at one layer; all [rows, size]. */
export interface LayerTables {
  readonly size: number;
  readonly alpha: Float32Array;
  readonly slope: Float32Array;
  readonly intercept: Float32Array;
  /** -beta where z >= 0 is assumed, +beta where z <= 0, and the multiplier itself where a neuron is cut. */
  readonly multiplier: Float32Array;
  /** What a step changes: `unstable` a slope; 1, -1 the multiplier of a split; 0 nothing. */
  readonly kind: Int8Array;
  /** Where there are multipliers of splits, ascending: steps need not look for them. */
  readonly splits: Int32Array;
  readonly cuts: readonly Cut[];
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/** A neuron of one row whose bounds are assumptions. */
interface Cut {
  readonly row: number;
  /** Of `multiplier`. */
  readonly at: number;
  readonly lower: number;
  readonly upper: number;
  first: number;
  second: number;
}

export const unstable = 2;

/** Tables of layer `k` for a batch of sub-problems, in arrays of the scratch. */
export function layerTables(problem: Problem, k: number, open: readonly SubProblem[], scratch: Scratch): LayerTables {
  const { size, lower, upper } = problem.layers[k];
  const offset = problem.offsets[k];
  const count = open.length * size;
  const alpha = scratch.floats(count);
  const slope = scratch.floats(count);
  const intercept = scratch.floats(count);
  const multiplier = scratch.floats(count);
  const kind = scratch.bytes(count);
  const splits = scratch.integers(count);
  let split = 0;
  const cuts: Cut[] = [];
  const inflation = 1 + gamma(problem.offsets[problem.layers.length] + 4 * problem.layers.length + 64);
  const chordOf = (l: number, u: number): number => (l < 0 ? Math.fround(u / (u - l)) : 1);
  const shiftOf = (l: number, u: number, s: number): number => roundUp(Math.max(-s * l, (1 - s) * u) * inflation);
  const chord = scratch.floats(size);
  const shift = scratch.floats(size);
  for (let j = 0; j < size; j++) {
    chord[j] = chordOf(lower[j], upper[j]);
    if (lower[j] < 0) shift[j] = shiftOf(lower[j], upper[j], chord[j]);
  }
  for (let r = 0; r < open.length; r++) {
    const { splits: signs, alpha: slopes, beta, narrowed } = open[r];
    for (let j = 0; j < size; j++) {
      const i = r * size + j;
      const sign = signs[offset + j];
      const low = narrowed ? narrowed.lower[offset + j] : lower[j];
      if (sign !== 0) {
        splits[split++] = i;
        kind[i] = sign;
        alpha[i] = slope[i] = sign > 0 ? 1 : 0;
        multiplier[i] = -sign * beta[offset + j];
      } else if (low >= 0) {
        alpha[i] = slope[i] = 1;
      } else if ((narrowed ? narrowed.upper[offset + j] : upper[j]) <= 0) {
        // Never active: both slopes are 0.
      } else {
        // Also where bounds are NaN: then slopes are NaN, and nothing is proven.
        kind[i] = unstable;
        alpha[i] = slopes[offset + j];
        slope[i] = chord[j];
        intercept[i] = shift[j];
        if (narrowed && (low !== lower[j] || narrowed.upper[offset + j] !== upper[j])) {
          const high = narrowed.upper[offset + j];
          slope[i] = chordOf(low, high);
          intercept[i] = shiftOf(low, high, slope[i]);
        }
      }
    }
    for (const neuron of narrowed?.cut ?? []) {
      const j = neuron - offset;
      if (j < 0 || j >= size) continue;
      const at = r * size + j;
      multiplier[at] = beta[neuron];
      cuts.push({ row: r, at, lower: narrowed!.lower[neuron], upper: narrowed!.upper[neuron], first: 0, second: 0 });
    }
  }
  const [first, second] = [scratch.floats(count), scratch.floats(count)];
  return { size, alpha, slope, intercept, multiplier, kind, splits: splits.subarray(0, split), cuts, first, second };
}

/**
 * Adds to each row's constant what the multipliers of cut neurons cost: m z - max(m lower, m upper) <= 0 wherever z keeps its bounds, for m
 * of either sign. The sum is float64; its rounding is subtracted.
 */
export function addCutConstants({ cuts, multiplier }: LayerTables, constants: Float64Array): void {
  for (const { row, at, lower, upper } of cuts) {
    const m = multiplier[at];
    if (m === 0) continue;
    const most = m < 0 ? m * lower : m * upper;
    constants[row] -= most + (Math.abs(most) + Math.abs(constants[row])) * 2 ** -50;
  }
}
