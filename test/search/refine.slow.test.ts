import { createBounder } from '../../lib/bounds/bounder';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { initialSlopes, type Problem, problemOf, problemRows } from '../../lib/search/problem';
import { type Root, refine } from '../../lib/search/refine';
import { stepPrograms } from '../../lib/search/steps';
import { pointsOf, randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

const end = 2;
const deadline = Number.POSITIVE_INFINITY;

/** What is lost when one child of a split stands for its parent. */
type Bug = (problem: Problem, root: Root) => Root;
const halfOf: Bug = ({ layers }, { sub, ...root }) => {
  const splits = sub.splits.slice();
  for (const [j, low] of layers[0].lower.entries()) if (low < 0 && layers[0].upper[j] > 0) splits[j] = -1;
  return { ...root, sub: { ...sub, splits } };
};

/** Refined bounds of the pre-activations of one layer: whether they hold at points, and what they gained. */
async function refined(bug: Bug): Promise<{ wrong: number; raised: number; decided: number }> {
  const seen = { wrong: 0, raised: 0, decided: 0 };
  for (let seed = 0; seed < 3; seed++) {
    const { network } = readNetwork(randomMlp([5, 14, 12, 10, 3], 40 + seed));
    const blocks = blocksOf(network);
    const bounder = createBounder(network);
    const programs = stepPrograms(blocks);
    const program = await programs.get(end);
    const box = randomBox(network.inputSize, 0.5, seed);
    const bounds = await bounder.preActivations(box);
    const problem = problemOf(blocks, outward(box), bounds, undefined, end);
    const unstable = [...bounds[end].lower.keys()].filter((j) => bounds[end].lower[j] < 0 && bounds[end].upper[j] > 0);
    const sides = unstable.flatMap((j) => [1, -1].map((sign) => ({ j, sign })));
    const functionals = sides.map(({ j, sign }) => ({ terms: [[j, sign]] as const, offset: 0 }));
    const rows = problemRows(blocks, problem, functionals, bounds, end);
    const feeds = problemFeeds(problem, end);
    const start = {
      splits: problem.splits,
      alpha: initialSlopes(problem),
      beta: new Float32Array(problem.splits.length),
    };
    const subs = rows.map((row) => ({ ...start, row }));
    const first = await optimise(program, problem, feeds, subs, {
      steps: 10,
      alphaRate: 0.3,
      betaRate: 0.1,
      layers: end,
    });
    const roots = first.map((result, i) =>
      bug(problem, { sub: subs[i], bound: result.bound, candidates: result.candidates() }),
    );
    const found = await refine(program, problem, feeds, roots, { layers: end, leaves: 64, deadline });
    const relus = network.nodes.flatMap((node) => (node.kind === 'relu' ? [node.from] : []));
    const values = pointsOf(box, 400, seed).map((x) => evaluate(network, x)[relus[end]]);
    for (const [i, bound] of found.entries()) {
      const { j, sign } = sides[i];
      const least = values.reduce((low, z) => Math.min(low, sign * z[j]), Number.POSITIVE_INFINITY);
      if (bound > least) seen.wrong++;
      if (bound > first[i].bound) seen.raised++;
      if (bound >= 0 && first[i].bound < 0) seen.decided++;
    }
    await bounder.release();
    await programs.release();
  }
  return seen;
}

test('refined bounds hold, are higher, and decide signs that slopes alone leave open', async () => {
  const { wrong, raised, decided } = await refined((_, root) => root);
  expect(wrong).toBe(0);
  expect(raised).toBeGreaterThan(5);
  expect(decided).toBeGreaterThan(0);
});

test('a tree that does not cover its root is told from a sound one', async () => {
  expect((await refined(halfOf)).wrong).toBeGreaterThan(0);
});
