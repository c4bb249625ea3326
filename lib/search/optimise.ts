import type * as ort from 'onnxruntime-node';
import { gamma } from '../bounds/rounding';
import { floatTensor, type Session } from '../bounds/sessions';
import { roundUp } from '../region/outward';
import { inputBlock } from './blocks';
import type { Problem, ProblemRow } from './problem';

/** A sub-problem: one functional of the outputs on the part of the ball where the split neurons have the signs that `splits` says. */
export interface SubProblem {
  readonly row: ProblemRow;
  /** Per neuron of the problem: 1 where z >= 0 is assumed, -1 where z <= 0, else 0. */
  readonly splits: Int8Array;
  /** Slopes below, in [0, 1], and multipliers >= 0 of the splits: where the optimisation starts. Any values are sound. */
  readonly alpha: Float32Array;
  readonly beta: Float32Array;
}

export interface Optimised {
  /** Proven lower bound, rounding errors subtracted; -Infinity where nothing finite came out. */
  readonly bound: number;
  readonly alpha: Float32Array;
  readonly beta: Float32Array;
  /** The unstable neurons whose relaxations cost most at the minimiser, the costliest first; empty when every neuron is decided. */
  readonly candidates: readonly number[];
  /** The minimiser of the relaxed functional, in e of [-1, 1]^n. */
  readonly corner: Float32Array;
  /** Per neuron of the problem, what its relaxation costs at the minimiser; 0 where it is decided. */
  gaps(): Float64Array;
}

export interface StepOptions {
  readonly steps: number;
  /** First step lengths of Adam for slopes and multipliers. */
  readonly alphaRate: number;
  readonly betaRate: number;
  /** Layers that the rows depend on: the first so many (by default all). */
  readonly layers?: number;
}

const decay = 0.97;
const adam = { first: 0.9, second: 0.99, floor: 1e-8 };

/** The matrices of a problem as tensors, made once. */
export function problemFeeds({ layers, inputSize }: Problem, end = layers.length): { [name: string]: ort.Tensor } {
  const feeds: { [name: string]: ort.Tensor } = {};
  for (const [k, { weights, bias, error, size }] of layers.slice(0, end).entries()) {
    for (const { from, matrix } of weights) {
      const name = from === inputBlock ? 'x' : `${from}`;
      const columns = from === inputBlock ? inputSize : layers[from].size;
      feeds[`w${k}_${name}`] = floatTensor(matrix, size, columns);
    }
    feeds[`b${k}`] = floatTensor(bias, 1, size);
    feeds[`e${k}`] = floatTensor(error, size, 1);
  }
  return feeds;
}

/**
 * Raises the bounds of sub-problems of one problem together, by Adam on slopes and multipliers (alpha-beta-CROWN, Xu et al. 2021, Wang
 * et al. 2021). A sub-problem's best bound over all steps counts. Stops early when all are proven.
 */
export async function optimise(
  session: Session,
  problem: Problem,
  feeds: { readonly [name: string]: ort.Tensor },
  open: readonly SubProblem[],
  { steps, alphaRate, betaRate, layers: end = problem.layers.length }: StepOptions,
): Promise<Optimised[]> {
  const rows = open.length;
  const layers = problem.layers.slice(0, end).map((_, k) => layerTables(problem, k, open));
  const rowFeeds: { [name: string]: ort.Tensor } = {};
  for (const [k, { start }] of layers.entries()) if (start) rowFeeds[`c${k}`] = start;
  if (open[0].row.input) {
    const inputs = new Float32Array(rows * problem.inputSize);
    for (const [r, { row }] of open.entries()) inputs.set(row.input!, r * problem.inputSize);
    rowFeeds.cx = floatTensor(inputs, rows, problem.inputSize);
  }
  const best = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  let out: { readonly [name: string]: Float32Array } = {};
  for (let step = 1; step <= steps; step++) {
    const tables: { [name: string]: ort.Tensor } = {};
    for (const [k, { size, alpha, slope, intercept, multiplier }] of layers.entries()) {
      tables[`a${k}`] = floatTensor(alpha, rows, size);
      tables[`s${k}`] = floatTensor(slope, rows, size);
      tables[`t${k}`] = floatTensor(intercept, rows, size);
      tables[`m${k}`] = floatTensor(multiplier, rows, size);
    }
    out = await session.run({ ...feeds, ...rowFeeds, ...tables });
    let isProven = true;
    for (let r = 0; r < rows; r++) {
      const bound = out.bound[r] + open[r].row.constant;
      if (Number.isFinite(bound) && bound > best[r]) best[r] = bound;
      if (!(best[r] > 0)) isProven = false;
    }
    if (isProven || step === steps) break;
    const rate = decay ** (step - 1);
    for (const [k, tables] of layers.entries()) {
      if (out[`h${k}`]) ascend(tables, out[`h${k}`], out[`z${k}`], step, alphaRate * rate, betaRate * rate);
    }
  }
  return open.map((_, r): Optimised => {
    const alpha = new Float32Array(problem.offsets[problem.layers.length]);
    const beta = new Float32Array(alpha.length);
    for (const [k, tables] of layers.entries()) {
      const { size } = tables;
      alpha.set(tables.alpha.subarray(r * size, (r + 1) * size), problem.offsets[k]);
      for (let j = 0; j < size; j++) beta[problem.offsets[k] + j] = Math.abs(tables.multiplier[r * size + j]);
    }
    return {
      bound: best[r],
      alpha,
      beta,
      candidates: best[r] > 0 ? [] : costliest(gapsOf(problem, layers, out, r)),
      gaps: () => gapsOf(problem, layers, out, r),
      corner: out.corner.subarray(r * problem.inputSize, (r + 1) * problem.inputSize),
    };
  });
}

/** What the steps of a batch read and change at one layer; all [rows, size]. */
interface LayerTables {
  readonly size: number;
  readonly start: ort.Tensor | undefined;
  readonly alpha: Float32Array;
  readonly slope: Float32Array;
  readonly intercept: Float32Array;
  /** -beta where z >= 0, +beta where z <= 0. */
  readonly multiplier: Float32Array;
  /** 2: unstable and not split; 1, -1: split; 0: active. */
  readonly kind: Int8Array;
  readonly moments: { readonly first: Float32Array; readonly second: Float32Array };
}

const unstable = 2;

function layerTables(problem: Problem, k: number, open: readonly SubProblem[]): LayerTables {
  const { size, lower, upper } = problem.layers[k];
  const offset = problem.offsets[k];
  const rows = open.length;
  const count = rows * size;
  const alpha = new Float32Array(count);
  const slope = new Float32Array(count);
  const intercept = new Float32Array(count);
  const multiplier = new Float32Array(count);
  const kind = new Int8Array(count);
  const reads = open[0].row.coefficients[k];
  const start = reads && new Float32Array(count);
  const inflation = 1 + gamma(problem.offsets[problem.layers.length] + 4 * problem.layers.length + 64);
  const chord = Float32Array.from(lower, (l, j) => (l < 0 ? Math.fround(upper[j] / (upper[j] - l)) : 1));
  const shift = Float32Array.from(lower, (l, j) =>
    l < 0 ? roundUp(Math.max(-chord[j] * l, (1 - chord[j]) * upper[j]) * inflation) : 0,
  );
  for (const [r, { row, splits, alpha: slopes, beta }] of open.entries()) {
    start?.set(row.coefficients[k]!, r * size);
    for (let j = 0; j < size; j++) {
      const i = r * size + j;
      const split = splits[offset + j];
      if (split !== 0) {
        kind[i] = split;
        alpha[i] = slope[i] = split > 0 ? 1 : 0;
        multiplier[i] = -split * beta[offset + j];
      } else if (lower[j] >= 0) {
        alpha[i] = slope[i] = 1;
      } else {
        // Also where bounds are NaN: then slopes are NaN, and nothing is proven.
        kind[i] = unstable;
        alpha[i] = slopes[offset + j];
        slope[i] = chord[j];
        intercept[i] = shift[j];
      }
    }
  }
  return {
    size,
    start: start && floatTensor(start, rows, size),
    alpha,
    slope,
    intercept,
    multiplier,
    kind,
    moments: { first: new Float32Array(count), second: new Float32Array(count) },
  };
}

/** One step of Adam upwards, projected to slopes of [0, 1] and multipliers >= 0. */
function ascend(
  { alpha, multiplier, kind, moments: { first, second } }: LayerTables,
  coefficients: Float32Array,
  values: Float32Array,
  step: number,
  alphaRate: number,
  betaRate: number,
): void {
  const firstScale = 1 / (1 - adam.first ** step);
  const secondScale = 1 / (1 - adam.second ** step);
  for (let i = 0; i < kind.length; i++) {
    const what = kind[i];
    if (what === 0) continue;
    const gradient = what === unstable ? (coefficients[i] > 0 ? coefficients[i] * values[i] : 0) : -what * values[i];
    first[i] = adam.first * first[i] + (1 - adam.first) * gradient;
    second[i] = adam.second * second[i] + (1 - adam.second) * gradient * gradient;
    const move = (first[i] * firstScale) / (Math.sqrt(second[i] * secondScale) + adam.floor);
    if (what === unstable) alpha[i] = Math.min(1, Math.max(0, alpha[i] + alphaRate * move));
    else multiplier[i] = -what * Math.max(0, -what * multiplier[i] + betaRate * move);
  }
}

/** The gap between relaxation and ReLU at the minimiser, weighted by the coefficient; -1 for decided neurons. */
function gapsOf(
  problem: Problem,
  layers: readonly LayerTables[],
  out: { readonly [name: string]: Float32Array },
  r: number,
): Float64Array {
  const gaps = new Float64Array(problem.offsets[problem.layers.length]).fill(-1);
  for (const [k, { size, kind, alpha, slope, intercept }] of layers.entries()) {
    const coefficients = out[`h${k}`];
    const values = out[`z${k}`];
    for (let j = 0; j < size; j++) {
      const i = r * size + j;
      if (kind[i] !== unstable) continue;
      const z = values?.[i] ?? 0;
      const h = coefficients?.[i] ?? 0;
      const relaxed = h > 0 ? alpha[i] * z : slope[i] * z + intercept[i];
      // A small share of the largest possible gap breaks ties between neurons that are exact at this minimiser.
      gaps[problem.offsets[k] + j] = Math.abs(h) * (Math.abs(relaxed - Math.max(0, z)) + 1e-3 * intercept[i]);
    }
  }
  return gaps;
}

/** Candidates kept per sub-problem. */
const candidatesKept = 3;

function costliest(gaps: Float64Array): number[] {
  const best: number[] = [];
  for (let i = 0; i < gaps.length; i++) {
    if (gaps[i] < 0 || (best.length === candidatesKept && gaps[i] <= gaps[best[candidatesKept - 1]])) continue;
    let at = best.length;
    while (at > 0 && gaps[best[at - 1]] < gaps[i]) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, candidatesKept);
  }
  return best;
}
