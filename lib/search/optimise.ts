import type * as ort from 'onnxruntime-node';
import { floatTensor } from '../bounds/sessions';
import { ascend } from './ascend';
import { inputBlock } from './blocks';
import { candidatesOf, gapsOf, type StepValues } from './candidates';
import type { Problem } from './problem';
import { createScratch, type Scratch } from './scratch';
import { convFeeds } from './step-conv';
import type { StepCall, StepProgram, Tensors } from './steps';
import type { Candidate, SubProblem } from './sub-problem';
import { addCutConstants, type LayerTables, layerTables } from './tables';

export interface Optimised {
  /** Proven lower bound, rounding errors subtracted; -Infinity where nothing finite came out. */
  readonly bound: number;
  /** Slopes and multipliers that the steps ended with, for sub-problems that are kept; those of others are never copied. */
  values(): Pick<SubProblem, 'alpha' | 'beta'>;
  /** Where the sub-problem may be divided, the most promising first; empty when every neuron is decided. */
  candidates(): Candidate[];
  /** The minimiser of the relaxed functional, in e of [-1, 1]^n; of no meaning where all sub-problems are proven. */
  corner(): Float32Array;
  /** Per neuron of the problem, what its relaxation costs at the minimiser; -1 where it is decided. */
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

/** The matrices of a problem as tensors, made once. */
export function problemFeeds(problem: Problem, end = problem.layers.length): Tensors {
  const { layers, inputSize, convSize } = problem;
  const feeds: { [name: string]: ort.Tensor } = convSize === undefined ? {} : convFeeds(problem, convSize);
  for (const [k, { weights, bias, error, size }] of layers.slice(0, end).entries()) {
    for (const { from, matrix } of k === 0 && convSize !== undefined ? [] : weights) {
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
 *
 * @returns by sub-problem; all but the bounds is to be asked for before the next call with the same program
 */
export async function optimise(
  program: StepProgram,
  problem: Problem,
  feeds: Tensors,
  open: readonly SubProblem[],
  { steps, alphaRate, betaRate, layers: end = problem.layers.length }: StepOptions,
): Promise<Optimised[]> {
  const rows = open.length;
  const scratch = program.scratch ?? createScratch();
  scratch.begin();
  const layers = problem.layers.slice(0, end).map((_, k) => layerTables(problem, k, open, scratch));
  const { tables, into, out } = exchange(problem, layers, open, scratch);
  const call: StepCall = { matrices: feeds, tables, into, rows };
  const best = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  for (let step = 1; step <= steps; step++) {
    const constants = Float64Array.from(open, ({ row }) => row.constant);
    for (const layer of layers) addCutConstants(layer, constants);
    await program.run(call, step === steps);
    let isProven = true;
    for (let r = 0; r < rows; r++) {
      const bound = out.bound[r] + constants[r];
      if (Number.isFinite(bound) && bound > best[r]) best[r] = bound;
      if (!(best[r] > 0)) isProven = false;
    }
    if (isProven || step === steps) break;
    const rate = decay ** (step - 1);
    for (const [k, layer] of layers.entries()) {
      const [coefficients, values] = [out[`h${k}`], out[`z${k}`]];
      if (coefficients) ascend(layer, coefficients, values, step, alphaRate * rate, betaRate * rate, scratch.ascend);
    }
  }
  let room: Float64Array | undefined;
  const roomForGaps = (): Float64Array => (room ??= new Float64Array(problem.offsets[problem.layers.length]));
  return open.map(
    (sub, r): Optimised => ({
      bound: best[r],
      values: () => valuesOf(problem, layers, sub, r),
      candidates: () => candidatesOf(problem, layers, out, r, sub, roomForGaps()),
      gaps: () => gapsOf(problem, layers, out, r),
      corner: () => out.corner.slice(r * problem.inputSize, (r + 1) * problem.inputSize),
    }),
  );
}

/** Tensors over the tables, which the program reads, and over the arrays that it writes its outputs to. */
function exchange(problem: Problem, layers: readonly LayerTables[], open: readonly SubProblem[], scratch: Scratch) {
  const rows = open.length;
  const { inputSize } = problem;
  const tables: { [name: string]: ort.Tensor } = {};
  const into: { [name: string]: ort.Tensor } = {};
  const out: { [name: string]: Float32Array } & StepValues = {};
  const output = (name: string, columns: number): void => {
    out[name] = scratch.floats(rows * columns);
    into[name] = floatTensor(out[name], rows, columns);
  };
  const reads = readLayers(problem, layers.length, open[0]);
  for (const [k, { size, alpha, slope, intercept, multiplier }] of layers.entries()) {
    if (open[0].row.coefficients[k]) {
      const start = scratch.floats(rows * size);
      for (const [r, { row }] of open.entries()) start.set(row.coefficients[k]!, r * size);
      tables[`c${k}`] = floatTensor(start, rows, size);
    }
    if (!reads.has(k)) continue;
    tables[`a${k}`] = floatTensor(alpha, rows, size);
    tables[`s${k}`] = floatTensor(slope, rows, size);
    tables[`t${k}`] = floatTensor(intercept, rows, size);
    tables[`m${k}`] = floatTensor(multiplier, rows, size);
    output(`h${k}`, size);
    output(`z${k}`, size);
  }
  if (open[0].row.input) {
    const inputs = scratch.floats(rows * inputSize);
    for (const [r, { row }] of open.entries()) inputs.set(row.input!, r * inputSize);
    tables.cx = floatTensor(inputs, rows, inputSize);
  }
  output('bound', 1);
  output('corner', inputSize);
  return { tables, into, out };
}

/** The layers that functionals depend on. */
function readLayers({ layers }: Problem, end: number, { row }: SubProblem): Set<number> {
  const reads = new Set<number>();
  for (let k = end - 1; k >= 0; k--) {
    const isRead = layers.some((layer, n) => reads.has(n) && layer.weights.some(({ from }) => from === k));
    if (row.coefficients[k] || isRead) reads.add(k);
  }
  return reads;
}

/** Slopes and multipliers of row `r`, as a sub-problem has them. */
function valuesOf(
  { layers: own, offsets }: Problem,
  layers: readonly LayerTables[],
  sub: SubProblem,
  r: number,
): Pick<SubProblem, 'alpha' | 'beta'> {
  const alpha = new Float32Array(offsets[own.length]);
  const beta = new Float32Array(alpha.length);
  for (let k = 0; k < layers.length; k++) {
    const tables = layers[k];
    const { size } = tables;
    alpha.set(tables.alpha.subarray(r * size, (r + 1) * size), offsets[k]);
    for (let j = 0; j < size; j++) beta[offsets[k] + j] = Math.abs(tables.multiplier[r * size + j]);
  }
  for (const neuron of sub.narrowed?.cut ?? []) {
    const k = offsets.findLastIndex((offset) => offset <= neuron);
    if (k < layers.length) beta[neuron] = layers[k].multiplier[r * layers[k].size + neuron - offsets[k]];
  }
  return { alpha, beta };
}
