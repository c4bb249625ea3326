import type { Problem } from './problem';
import type { Candidate, SubProblem } from './sub-problem';
import { type LayerTables, unstable } from './tables';

/** Coefficients and pre-activations at the minimiser, by name of the step program's output. */
export type StepValues = { readonly [name: string]: Float32Array };

/**
 * The gap between relaxation and ReLU at the minimiser of row `r`, weighted by the coefficient; -1 for decided neurons.
 *
 * @param gaps [neurons of the problem], where they are written
 */
export function gapsOf(
  problem: Problem,
  layers: readonly LayerTables[],
  out: StepValues,
  r: number,
  gaps: Float64Array = new Float64Array(problem.offsets[problem.layers.length]),
): Float64Array {
  gaps.fill(-1);
  for (let k = 0; k < layers.length; k++) {
    const { size, kind, alpha, slope, intercept } = layers[k];
    const coefficients: Float32Array | undefined = out[`h${k}`];
    const values: Float32Array | undefined = out[`z${k}`];
    for (let j = 0; j < size; j++) {
      const i = r * size + j;
      if (kind[i] !== unstable) continue;
      // Not with ?. and ??, which make an object of every number.
      const z = values === undefined ? 0 : values[i];
      const h = coefficients === undefined ? 0 : coefficients[i];
      const relaxed = h > 0 ? alpha[i] * z : slope[i] * z + intercept[i];
      // A small share of the largest possible gap breaks ties between neurons that are exact at this minimiser.
      gaps[problem.offsets[k] + j] = Math.abs(h) * (Math.abs(relaxed - Math.max(0, z)) + 1e-3 * intercept[i]);
    }
  }
  return gaps;
}

/** Candidates kept per sub-problem: unstable neurons to split at 0, neurons of narrow layers to cut in the middle. */
const splitsKept = 3;
const cutsKept = 2;
/** With so few unstable neurons left splits alone come to an end soon, which cuts need not. */
const fewLeft = 16;
/** Cuts elsewhere than at 0 on the way from the root, at most: then only splits, of which there is one for each neuron, so that every search ends. */
export const mostCuts = 64;

/**
 * Where the sub-problem of row `r` may be divided, the most promising first; empty when every neuron is decided.
 *
 * @param room as `gaps` of gapsOf
 */
export function candidatesOf(
  problem: Problem,
  layers: readonly LayerTables[],
  out: StepValues,
  r: number,
  sub: SubProblem,
  room?: Float64Array,
): Candidate[] {
  const gaps = gapsOf(problem, layers, out, r, room);
  const splits = largest(gaps, splitsKept).map((neuron) => ({ neuron, at: 0 }));
  let left = 0;
  for (let i = 0; i < gaps.length; i++) if (gaps[i] >= 0) left++;
  if (left <= fewLeft || cutsBefore(sub) >= mostCuts) return splits;
  return [...splits, ...cutsOf(problem, layers, out, r, sub)];
}

/** Neurons of narrow layers to cut in the middle, the most promising first: those whose width costs most. */
function cutsOf(
  problem: Problem,
  layers: readonly LayerTables[],
  out: StepValues,
  r: number,
  { narrowed, splits }: SubProblem,
): Candidate[] {
  const cuts: Scored[] = [];
  for (let k = 0; k < problem.layers.length; k++) {
    const { size, isNarrow, lower, upper } = problem.layers[k];
    if (!isNarrow) continue;
    const costs = costsOfWidth(problem, layers, out, r, k);
    const offset = problem.offsets[k];
    for (let j = 0; j < size; j++) {
      const neuron = offset + j;
      const low = Math.max(0, narrowed ? narrowed.lower[neuron] : lower[j]);
      const high = narrowed ? narrowed.upper[neuron] : upper[j];
      if (splits[neuron] < 0 || !(high > low)) continue;
      const score = costs[j] * (high - low);
      // Of neurons that cost the same the first one.
      if (!(costs[j] > 0) || (cuts.length === cutsKept && !(score > cuts[cutsKept - 1].score))) continue;
      const at = Math.fround((low + high) / 2);
      if (!(at > low && at < high)) continue;
      const own = { neuron, at, score };
      if (cuts.length < cutsKept) cuts.push(own);
      let n = cuts.length - 1;
      for (; n > 0 && cuts[n - 1].score < score; n--) cuts[n] = cuts[n - 1];
      cuts[n] = own;
    }
  }
  return cuts.map(({ neuron, at }) => ({ neuron, at }));
}

interface Scored extends Candidate {
  readonly score: number;
}

function cutsBefore({ path }: SubProblem): number {
  let cuts = 0;
  for (let step = path; step !== undefined; step = step.before) if (step.at !== 0) cuts++;
  return cuts;
}

/** By neuron of layer `k`, how much the unstable neurons that read it weigh: their relaxations are the wider, the wider its bounds. */
function costsOfWidth(
  { layers: own }: Problem,
  layers: readonly LayerTables[],
  out: StepValues,
  r: number,
  k: number,
): Float64Array {
  const columns = own[k].size;
  const costs = new Float64Array(columns);
  for (let next = k + 1; next < layers.length; next++) {
    const block = own[next].weights.find(({ from }) => from === k);
    const coefficients = out[`h${next}`];
    if (block === undefined || coefficients === undefined) continue;
    const { matrix } = block;
    const { size, kind } = layers[next];
    for (let i = 0; i < size; i++) {
      const coefficient = coefficients[r * size + i];
      if (kind[r * size + i] !== unstable || coefficient === 0) continue;
      for (let j = 0, at = i * columns; j < columns; j++, at++) costs[j] += Math.abs(matrix[at] * coefficient);
    }
  }
  return costs;
}

/** Indices of the largest values that are not negative, descending. */
function largest(values: Float64Array, most: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const isLess = best.length === most && (Number.isNaN(values[i]) || values[i] <= values[best[most - 1]]);
    if (values[i] < 0 || isLess) continue;
    if (best.length < most) best.push(i);
    let at = best.length - 1;
    for (; at > 0 && values[best[at - 1]] < values[i]; at--) best[at] = best[at - 1];
    best[at] = i;
  }
  return best;
}
