import { type Float32Box, roundDown, roundUp } from '../region/outward';
import type { Blocks } from './blocks';
import { foldedWhereCheaper } from './fold';
import { optimise, problemFeeds } from './optimise';
import { type Assumptions, initialSlopes, inputOf, type LayerBounds, problemOf, problemRows } from './problem';
import type { Recorder } from './proof';
import { type Root, refine } from './refine';
import type { StepPrograms } from './steps';
import type { SubProblem } from './sub-problem';
import { isOver, type TimeLimit } from './time-limit';

/** Neurons whose two rows go through one call, and roots that are refined together. */
const neuronsPerCall = 64;
const rootsPerCall = 64;
/** Roots, the nearest to keeping their sign, that are refined before all others: where none of them is decided, hardly any other is. */
const firstRoots = 16;
/** Share of the widths, or of the signs, that a call has to win for the next one, of neurons further from keeping their sign, to be made. */
const worthwhile = 0.03;

export interface TightenOptions extends TimeLimit {
  readonly steps: number;
  /** Signs that hold on the part of the ball in question; they bound their own neurons and constrain all rows. */
  readonly assumed?: Assumptions;
  /** Sub-problems per neuron, at most, to decide the sign of those that nearly keep one; 0: slopes alone. */
  readonly leaves?: number;
  /** They are spent only in layers with at most so many unstable neurons; by default in all. */
  readonly widest?: number;
  /** Told of what bounded each neuron. */
  readonly recorder?: Recorder;
}

/** How near, in widths of its bounds, to keeping its sign a neuron has to be for `leaves` to be spent on it. */
const nearlyStable = 0.3;

/**
 * Tightens the pre-activation bounds of one ball, layer by layer, by optimising the slopes of each unstable neuron's own two rows
 * (alpha-CROWN, Xu et al. 2021, section 3.2), and by branch and bound where that nearly decides a sign (refine.ts); each layer profits
 * from those before it. Bounds only ever get better.
 *
 * @param programFor the step program for functionals of a layer
 */
export async function tightenBounds(
  blocks: Blocks,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  programFor: StepPrograms['get'],
  { steps, assumed, leaves = 0, widest = Number.POSITIVE_INFINITY, recorder, ...time }: TightenOptions,
): Promise<LayerBounds[]> {
  const better = bounds.map(({ lower, upper }, k) => {
    const own = { lower: lower.slice(), upper: upper.slice() };
    for (const [j, sign] of assumed?.[k] ?? []) {
      if (sign > 0) own.lower[j] = Math.max(0, own.lower[j]);
      else own.upper[j] = Math.min(0, own.upper[j]);
    }
    return own;
  });
  if (steps === 0) return better;
  const { reach } = inputOf(box);
  for (let k = 1; k < blocks.relus.length; k++) {
    const { lower, upper } = better[k];
    const nearness = (j: number): number => Math.min(-lower[j], upper[j]) / (upper[j] - lower[j]);
    const unstable = [...lower.keys()]
      .filter((j) => lower[j] < 0 && upper[j] > 0)
      .sort((a, b) => nearness(a) - nearness(b) || a - b);
    if (unstable.length === 0) continue;
    const own = foldedWhereCheaper(blocks, { bounds: better, reach, ...(assumed && { assumed }) }, k);
    const problem = problemOf(own, box, better, assumed, k);
    const program = await programFor(k, problem.isFolded);
    const feeds = problemFeeds(problem, k);
    const neurons = problem.offsets[problem.layers.length];
    const start = { splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
    const refines = leaves > 0 && unstable.length <= widest;
    let roots: OwnRoot[] = [];
    for (let at = 0; at < unstable.length; at += neuronsPerCall) {
      if (isOver(time)) return better;
      const part = unstable.slice(at, at + neuronsPerCall);
      const sides = part.flatMap((j) => ([1, -1] as const).map((sign) => ({ j, sign })));
      const functionals = sides.map(({ j, sign }) => ({ terms: [[j, sign]] as const, offset: 0 }));
      const rows = problemRows(own, problem, functionals, better, k);
      const subs = rows.map((row) => ({ ...start, row }));
      const results = await optimise(program, problem, feeds, subs, {
        ...{ steps, alphaRate: 0.3, betaRate: 0.1, layers: k },
      });
      const before = totalWidth(part, better[k]);
      for (const [i, { bound, values }] of results.entries()) {
        raise(better[k], sides[i], bound);
        recorder?.neuron(problem, k, sides[i].j, sides[i].sign, [{ ...subs[i], ...values() }]);
      }
      const gain = 1 - totalWidth(part, better[k]) / before;
      if (refines) {
        const near = results.flatMap((result, i): OwnRoot[] => {
          const { j } = sides[i];
          const { bound } = result;
          if (!(lower[j] < 0 && upper[j] > 0 && bound > -nearlyStable * (upper[j] - lower[j]))) return [];
          return [{ side: sides[i], sub: { ...subs[i], ...result.values() }, bound, candidates: result.candidates() }];
        });
        roots = roots.concat(near);
      }
      if (gain < worthwhile) break;
    }
    roots.sort((a, b) => b.bound - a.bound);
    for (let at = 0; at < roots.length; ) {
      const part = roots.slice(at, at === 0 ? firstRoots : at + rootsPerCall);
      at += part.length;
      const proven = part.map((): SubProblem[] => []);
      const onProven = (root: number, leaf: SubProblem): unknown => recorder && proven[root].push(leaf);
      const bounds = await refine(program, problem, feeds, part, { ...time, layers: k, leaves, onProven });
      for (const [i, bound] of bounds.entries()) {
        const { j, sign } = part[i].side;
        raise(better[k], part[i].side, bound);
        if (bound >= 0 && proven[i].length > 0) recorder?.neuron(problem, k, j, sign, proven[i]);
      }
      const decided = part.filter(({ side: { j } }) => lower[j] >= 0 || upper[j] <= 0);
      if (decided.length < worthwhile * part.length) break;
    }
  }
  return better;
}

/** A functional of one neuron, sign * z, that nearly keeps its sign. */
interface OwnRoot extends Root {
  readonly side: Side;
}

interface Side {
  readonly j: number;
  readonly sign: 1 | -1;
}

/** Takes a lower bound of sign * z_j. */
function raise({ lower, upper }: LayerBounds, { j, sign }: Side, bound: number): void {
  if (sign > 0) lower[j] = Math.max(lower[j], roundDown(bound));
  else upper[j] = Math.min(upper[j], roundUp(-bound));
}

function totalWidth(neurons: readonly number[], { lower, upper }: LayerBounds): number {
  return neurons.reduce((sum, j) => sum + upper[j] - lower[j], 0);
}
