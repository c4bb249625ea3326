import { type Float32Box, roundDown, roundUp } from '../region/outward';
import type { Blocks } from './blocks';
import { optimise, problemFeeds } from './optimise';
import { type Assumptions, initialSlopes, type LayerBounds, problemOf, problemRows } from './problem';
import { type Root, refine } from './refine';
import type { StepProgram } from './steps';

/** Rows of one call. */
const rowsPerCall = 256;

export interface TightenOptions {
  readonly steps: number;
  /** Clock time, ms since the epoch. */
  readonly deadline: number;
  /** Signs that hold on the part of the ball in question; they bound their own neurons and constrain all rows. */
  readonly assumed?: Assumptions;
  /** Sub-problems per neuron, at most, to decide the sign of those that nearly keep one; 0: slopes alone. */
  readonly leaves?: number;
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
  programFor: (layer: number) => Promise<StepProgram>,
  { steps, deadline, assumed, leaves = 0 }: TightenOptions,
): Promise<LayerBounds[]> {
  const better = bounds.map(({ lower, upper }, k) => {
    const own = { lower: lower.slice(), upper: upper.slice() };
    for (const [j, sign] of assumed?.[k] ?? []) {
      if (sign > 0) own.lower[j] = Math.max(0, own.lower[j]);
      else own.upper[j] = Math.min(0, own.upper[j]);
    }
    return own;
  });
  for (let k = 1; k < blocks.relus.length; k++) {
    const { lower, upper } = better[k];
    const unstable = [...lower.keys()].filter((j) => lower[j] < 0 && upper[j] > 0);
    if (unstable.length === 0) continue;
    const problem = problemOf(blocks, box, better, assumed, k);
    const functionals = unstable.flatMap((j) => [1, -1].map((sign) => ({ terms: [[j, sign]] as const, offset: 0 })));
    const rows = problemRows(blocks, problem, functionals, better, k);
    const program = await programFor(k);
    const feeds = problemFeeds(problem, k);
    const neurons = problem.offsets[problem.layers.length];
    const start = { splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
    const raise = (row: number, bound: number): void => {
      const j = unstable[row >> 1];
      if (row % 2 === 0) lower[j] = Math.max(lower[j], roundDown(bound));
      else upper[j] = Math.min(upper[j], roundUp(-bound));
    };
    const roots: { readonly row: number; readonly root: Root }[] = [];
    for (let at = 0; at < rows.length; at += rowsPerCall) {
      if (Date.now() > deadline) return better;
      const part = rows.slice(at, at + rowsPerCall).map((row) => ({ ...start, row }));
      const results = await optimise(program, problem, feeds, part, {
        steps,
        alphaRate: 0.3,
        betaRate: 0.1,
        layers: k,
      });
      for (const [i, { bound }] of results.entries()) raise(at + i, bound);
      if (leaves === 0) continue;
      for (const [i, result] of results.entries()) {
        const { bound, alpha, beta } = result;
        const j = unstable[(at + i) >> 1];
        const width = upper[j] - lower[j];
        const isOpen = lower[j] < 0 && upper[j] > 0;
        if (isOpen && bound > -nearlyStable * width)
          roots.push({
            row: at + i,
            root: { sub: { ...part[i], alpha, beta }, bound, candidates: result.candidates() },
          });
      }
    }
    if (roots.length === 0) continue;
    const list = roots.map(({ root }) => root);
    const refined = await refine(program, problem, feeds, list, { layers: k, leaves, deadline });
    for (const [i, bound] of refined.entries()) raise(roots[i].row, bound);
  }
  return better;
}
