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
  /** Where there are slopes, and where there are multipliers of splits, ascending: steps need not look at the rest, nor ask which. */
  readonly slopes: Int32Array;
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
    const { splits, alpha: slopes, beta, narrowed } = open[r];
    for (let j = 0; j < size; j++) {
      const i = r * size + j;
      const split = splits[offset + j];
      const low = narrowed ? narrowed.lower[offset + j] : lower[j];
      if (split !== 0) {
        kind[i] = split;
        alpha[i] = slope[i] = split > 0 ? 1 : 0;
        multiplier[i] = -split * beta[offset + j];
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
  const lists = changingPlaces(kind, scratch);
  return { size, alpha, slope, intercept, multiplier, kind, ...lists, cuts, first, second };
}

/** Places by what a step changes there. */
function changingPlaces(kind: Int8Array, scratch: Scratch): Pick<LayerTables, 'slopes' | 'splits'> {
  const slopes = scratch.integers(kind.length);
  const splits = scratch.integers(kind.length);
  let [ofSlopes, ofSplits] = [0, 0];
  for (let i = 0; i < kind.length; i++) {
    const what = kind[i];
    if (what === unstable) slopes[ofSlopes++] = i;
    else if (what !== 0) splits[ofSplits++] = i;
  }
  return { slopes: slopes.subarray(0, ofSlopes), splits: splits.subarray(0, ofSplits) };
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

const adam = { first: 0.9, second: 0.99, floor: 1e-8 };

/** One step of Adam upwards, projected to slopes of [0, 1] and multipliers >= 0 (of either sign where cut). */
export function ascend(
  { alpha, multiplier, kind, slopes, splits, cuts, first, second }: LayerTables,
  coefficients: Float32Array,
  values: Float32Array,
  step: number,
  alphaRate: number,
  betaRate: number,
): void {
  const { first: keepFirst, second: keepSecond, floor } = adam;
  const firstScale = 1 / (1 - keepFirst ** step);
  const secondScale = 1 / (1 - keepSecond ** step);
  const { sqrt } = Math;
  for (let n = 0; n < slopes.length; n++) {
    const i = slopes[n];
    const gradient = coefficients[i] > 0 ? coefficients[i] * values[i] : 0;
    const m = keepFirst * first[i] + (1 - keepFirst) * gradient;
    const v = keepSecond * second[i] + (1 - keepSecond) * gradient * gradient;
    first[i] = m;
    second[i] = v;
    const next = alpha[i] + (alphaRate * (m * firstScale)) / (sqrt(v * secondScale) + floor);
    // NaN stays.
    alpha[i] = Math.min(Math.max(next, 0), 1);
  }
  for (let n = 0; n < splits.length; n++) {
    const i = splits[n];
    const what = kind[i];
    const gradient = -what * values[i];
    const m = keepFirst * first[i] + (1 - keepFirst) * gradient;
    const v = keepSecond * second[i] + (1 - keepSecond) * gradient * gradient;
    first[i] = m;
    second[i] = v;
    const next = -what * multiplier[i] + (betaRate * (m * firstScale)) / (sqrt(v * secondScale) + floor);
    multiplier[i] = next > 0 ? -what * next : 0;
  }
  for (const cut of cuts) {
    const { at, lower, upper } = cut;
    const m = multiplier[at];
    const z = values[at];
    const gradient = m < 0 || (m === 0 && z < lower) ? z - lower : m > 0 || z > upper ? z - upper : 0;
    cut.first = keepFirst * cut.first + (1 - keepFirst) * gradient;
    cut.second = keepSecond * cut.second + (1 - keepSecond) * gradient * gradient;
    const move = (betaRate * cut.first * firstScale) / (sqrt(cut.second * secondScale) + floor);
    // Not across 0, where the constraint changes.
    multiplier[at] = m < 0 ? Math.min(0, m + move) : m > 0 ? Math.max(0, m + move) : move;
  }
}
