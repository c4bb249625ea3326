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
  const cuts: Scored[] = [];
  for (const [k, { size, isNarrow, lower, upper }] of problem.layers.entries()) {
    if (!isNarrow) continue;
    for (let j = 0; j < size; j++) {
      const n = problem.offsets[k] + j;
      const low = Math.max(0, sub.narrowed ? sub.narrowed.lower[n] : lower[j]);
      const high = sub.narrowed ? sub.narrowed.upper[n] : upper[j];
      if (sub.splits[n] < 0 || !(high > low)) continue;
      const middle = Math.fround((low + high) / 2);
      const cost = costOfWidth(problem, layers, out, r, k, j);
      if (cost > 0 && middle > low && middle < high) cuts.push({ neuron: n, at: middle, score: cost * (high - low) });
    }
  }
  cuts.sort((a, b) => b.score - a.score || a.neuron - b.neuron);
  return [...splits, ...cuts.slice(0, cutsKept).map(({ neuron, at }) => ({ neuron, at }))];
}

interface Scored extends Candidate {
  readonly score: number;
}

function cutsBefore({ path }: SubProblem): number {
  let cuts = 0;
  for (let step = path; step !== undefined; step = step.before) if (step.at !== 0) cuts++;
  return cuts;
}

/** How much unstable neurons that read neuron `j` of layer `k` weigh: their relaxations are the wider, the wider its bounds. */
function costOfWidth(
  { layers: own }: Problem,
  layers: readonly LayerTables[],
  out: StepValues,
  r: number,
  k: number,
  j: number,
): number {
  let cost = 0;
  for (let next = k + 1; next < layers.length; next++) {
    const block = own[next].weights.find(({ from }) => from === k);
    const coefficients = out[`h${next}`];
    if (block === undefined || coefficients === undefined) continue;
    const { size, kind } = layers[next];
    for (let i = 0; i < size; i++) {
      if (kind[r * size + i] === unstable)
        cost += Math.abs(block.matrix[i * own[k].size + j] * coefficients[r * size + i]);
    }
  }
  return cost;
}

/** Indices of the largest values that are not negative, descending. */
function largest(values: Float64Array, most: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < 0 || (best.length === most && values[i] <= values[best[most - 1]])) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]] < values[i]) at--;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, most);
  }
  return best;
}
