import type { Float32Box } from '../region/outward';
import type { Blocks } from './blocks';
import { foldedWhereCheaper } from './fold';
import { optimise, problemFeeds } from './optimise';
import { type AffineFunctional, initialSlopes, inputOf, type LayerBounds, problemOf, problemRows } from './problem';
import type { StepPrograms } from './steps';

/** First step length of Adam for slopes, as in trees. */
const alphaRate = 0.25;

/**
 * Lower bounds of functionals over a box by optimised slopes alone (alpha-CROWN, Xu et al. 2021, with the bounds of neurons kept as they are): so many steps, or
 * fewer where all are proven before. No split, no attack, no time limit: a fixed amount of work. Sound for any slopes (docs/soundness.md, "The search").
 *
 * @param bounds of what each ReLU reads, over the box
 * @returns by functional, rounding errors subtracted; -Infinity where nothing finite came out
 */
export async function slopeBounds(
  blocks: Blocks,
  programs: Pick<StepPrograms, 'get'>,
  box: Float32Box,
  bounds: readonly LayerBounds[],
  functionals: readonly AffineFunctional[],
  steps: number,
): Promise<number[]> {
  if (functionals.length === 0) return [];
  const assumed = bounds.map(() => new Map<number, 1 | -1>());
  const folded = foldedWhereCheaper(blocks, { bounds, reach: inputOf(box).reach, assumed });
  const problem = problemOf(folded, box, bounds);
  const program = await programs.get(blocks.relus.length, problem.isFolded);
  const root = {
    splits: problem.splits,
    alpha: initialSlopes(problem),
    beta: new Float32Array(problem.splits.length),
  };
  const open = problemRows(folded, problem, functionals, bounds).map((row) => ({ ...root, row }));
  const results = await optimise(program, problem, problemFeeds(problem), open, { steps, alphaRate, betaRate: 0 });
  return results.map(({ bound }) => bound);
}
