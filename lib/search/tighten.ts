import type { Session } from '../bounds/sessions';
import { type Float32Box, roundDown, roundUp } from '../region/outward';
import type { Blocks } from './blocks';
import { optimise, problemFeeds } from './optimise';
import { type Assumptions, initialSlopes, type LayerBounds, problemOf, problemRows } from './problem';

/** Rows of one call. */
const rowsPerCall = 256;

/**
 * Tightens the pre-activation bounds of one ball, layer by layer, by optimising the slopes of each unstable neuron's own two rows
 * (alpha-CROWN, Xu et al. 2021, section 3.2); each layer profits from those before it. Bounds only ever get better.
 *
 * @param assumed signs that hold on the part of the ball in question; they bound their own neurons and constrain all rows
 * @param sessionFor the step program for functionals of a layer
 */
export async function tightenBounds(
  blocks: Blocks,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  sessionFor: (layer: number) => Promise<Session>,
  steps: number,
  deadline: number,
  assumed?: Assumptions,
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
    const problem = problemOf(blocks, box, better, assumed);
    const functionals = unstable.flatMap((j) => [1, -1].map((sign) => ({ terms: [[j, sign]] as const, offset: 0 })));
    const rows = problemRows(blocks, problem, functionals, better, k);
    const session = await sessionFor(k);
    const feeds = problemFeeds(problem, k);
    const neurons = problem.offsets[problem.layers.length];
    const start = { splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
    for (let at = 0; at < rows.length; at += rowsPerCall) {
      if (Date.now() > deadline) return better;
      const part = rows.slice(at, at + rowsPerCall).map((row) => ({ ...start, row }));
      const results = await optimise(session, problem, feeds, part, {
        steps,
        alphaRate: 0.3,
        betaRate: 0.1,
        layers: k,
      });
      for (const [i, { bound }] of results.entries()) {
        const j = unstable[(at + i) >> 1];
        if ((at + i) % 2 === 0) lower[j] = Math.max(lower[j], roundDown(bound));
        else upper[j] = Math.min(upper[j], roundUp(-bound));
      }
    }
  }
  return better;
}
