import { createBounder } from '../../lib/bounds/bounder';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { mostCuts } from '../../lib/search/candidates';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { initialSlopes, problemOf, problemRows } from '../../lib/search/problem';
import { stepPrograms } from '../../lib/search/steps';
import { childOf, type SubProblem } from '../../lib/search/sub-problem';
import { randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

test.each([1, -1] as const)('whoever always cuts where it can, side %d, comes to an end', async (side) => {
  const { network } = readNetwork(randomMlp([6, 24, 20, 3], 3));
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const box = randomBox(6, 2, 1);
  const bounds = await bounder.preActivations(box);
  await bounder.release();
  const problem = problemOf(blocks, outward(box), bounds);
  const [row] = problemRows(blocks, problem, [{ terms: [[0, 1] as const, [2, -1] as const], offset: 0 }], bounds);
  const programs = stepPrograms(blocks);
  const program = await programs.get(blocks.relus.length);
  const feeds = problemFeeds(problem);
  const neurons = problem.splits.length;
  let sub: SubProblem = {
    ...{ row, splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) },
  };
  let [cuts, splits] = [0, 0];
  for (;;) {
    const [result] = await optimise(program, problem, feeds, [sub], { steps: 1, alphaRate: 0, betaRate: 0 });
    const candidate = result.candidates().at(-1);
    if (candidate === undefined) break;
    if (candidate.at === 0) splits++;
    else cuts++;
    // Where one side holds no input, the other is all of it.
    const next = childOf(problem, sub, candidate, side) ?? childOf(problem, sub, candidate, side > 0 ? -1 : 1);
    if (next === undefined) break;
    sub = next;
    if (cuts + splits > mostCuts + neurons) break;
  }
  await programs.release();
  expect(cuts).toBeGreaterThan(0);
  expect(cuts).toBeLessThanOrEqual(mostCuts);
  expect(splits).toBeLessThanOrEqual(neurons);
});
