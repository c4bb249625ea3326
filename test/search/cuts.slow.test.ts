import { createBounder } from '../../lib/bounds/bounder';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { initialSlopes, problemOf, problemRows } from '../../lib/search/problem';
import { stepPrograms } from '../../lib/search/steps';
import { childOf, type Narrowed, type SubProblem } from '../../lib/search/sub-problem';
import { pointsOf, randomBox } from '../support/balls';
import { randomMlp } from '../support/models';

/** What a shortcut might get wrong, put into the data of a sub-problem that is otherwise sound. */
type Bug = (sub: SubProblem) => SubProblem;

const narrower =
  (change: (narrowed: Narrowed) => Partial<Narrowed>): Bug =>
  (sub) =>
    sub.narrowed ? { ...sub, narrowed: { ...sub.narrowed, ...change(sub.narrowed) } } : sub;

const bugs: { readonly [name: string]: Bug } = {
  none: (sub) => sub,
  'the other side of every cut': narrower(({ lower, upper, cut }) => {
    const [low, high] = [lower.slice(), upper.slice()];
    for (const i of cut) [low[i], high[i]] = [upper[i], upper[i] + 1];
    return { lower: low, upper: high };
  }),
  'bounds that are passed on too far': narrower(({ lower, upper }) => ({
    upper: upper.map((high, i) => high - 0.7 * (high - lower[i])),
  })),
};

/** Random parts of balls, each around a point of the network, and how often bounds of points of the part are wrong. */
async function wrongOf(bug: Bug): Promise<{ wrong: number; compared: number; passedOn: number; empty: number }> {
  const { network } = readNetwork(randomMlp([5, 9, 8, 7, 3], 21));
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const programs = stepPrograms(blocks);
  const program = await programs.get(blocks.relus.length);
  const rng = random(5);
  const seen = { wrong: 0, compared: 0, passedOn: 0, empty: 0 };
  for (const [seed, radius] of [0.2, 0.6, 1.2].entries()) {
    const box = randomBox(network.inputSize, radius, seed);
    const bounds = await bounder.preActivations(box);
    const problem = problemOf(blocks, outward(box), bounds);
    const [row] = problemRows(blocks, problem, [{ terms: [[0, 1] as const, [2, -1] as const], offset: 0 }], bounds);
    const { offsets, layers } = problem;
    const points = pointsOf(box, 80, seed + 9).map((x) => {
      const values = evaluate(network, x);
      const z = network.nodes.flatMap((node) => (node.kind === 'relu' ? [values[node.from]] : []));
      const own = Float64Array.from(problem.splits);
      for (const [k, { alive }] of layers.entries())
        for (const [r, j] of alive.entries()) own[offsets[k] + r] = z[k][j];
      return { margin: values[network.output][0] - values[network.output][2], own };
    });
    const parts = Array.from({ length: 40 }, (_, n) => {
      const { own } = points[n];
      const neurons = problem.splits.length;
      const root = { row, splits: problem.splits, alpha: initialSlopes(problem), beta: new Float32Array(neurons) };
      let sub: SubProblem = root;
      for (let depth = 0; depth < 4; depth++) {
        const neuron = rng.int(neurons);
        const k = offsets.findLastIndex((offset) => offset <= neuron);
        const [low, high] = [layers[k].lower[neuron - offsets[k]], layers[k].upper[neuron - offsets[k]]];
        const at = depth === 0 || !layers[k].isNarrow ? 0 : Math.fround(low + rng.uniform() * (high - low));
        const child = childOf(problem, sub, { neuron, at }, own[neuron] >= at ? 1 : -1);
        // The point is in it.
        if (child === undefined) seen.empty++;
        else sub = child;
      }
      const beta = Float32Array.from(sub.beta, (_, i) => (sub.narrowed?.cut.includes(i) ? 2 * rng.uniform() - 1 : 0));
      const alpha = Float32Array.from(sub.alpha, () => rng.uniform());
      return bug({ ...sub, alpha, beta });
    });
    const feeds = problemFeeds(problem);
    for (const steps of [1, 5]) {
      const results = await optimise(program, problem, feeds, parts, { steps, alphaRate: 0.2, betaRate: 0.2 });
      for (const [n, { narrowed, splits }] of parts.entries()) {
        if (narrowed === undefined) continue;
        for (const { margin, own } of points) {
          const meets =
            narrowed.cut.every((i) => own[i] >= narrowed.lower[i] && own[i] <= narrowed.upper[i]) &&
            splits.every((sign, i) => sign * own[i] >= 0);
          // A broken part has no points of its own: what it was made from tells.
          if (bug === bugs.none ? !meets : own !== points[n].own) continue;
          seen.compared++;
          if (results[n].bound > margin + 1e-9) seen.wrong++;
          if (bug !== bugs.none) continue;
          for (let i = 0; i < own.length; i++) {
            if (own[i] < narrowed.lower[i] || own[i] > narrowed.upper[i]) seen.wrong++;
          }
        }
        const isPassedOn = layers.some(({ upper }, k) =>
          upper.some((high, r) => narrowed.upper[offsets[k] + r] < high && !narrowed.cut.includes(offsets[k] + r)),
        );
        if (isPassedOn) seen.passedOn++;
      }
    }
  }
  await bounder.release();
  await programs.release();
  return seen;
}

test('cuts with any multipliers give bounds that hold on their part, and what they pass on holds too', async () => {
  const { wrong, compared, passedOn, empty } = await wrongOf(bugs.none);
  expect({ wrong, empty }).toEqual({ wrong: 0, empty: 0 });
  expect(compared).toBeGreaterThan(500);
  expect(passedOn).toBeGreaterThan(20);
});

test.each(Object.entries(bugs).slice(1))('the bug "%s" is told from sound cuts', async (_, bug) => {
  expect((await wrongOf(bug)).wrong).toBeGreaterThan(0);
});
