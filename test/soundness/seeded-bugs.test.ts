import { createBounder } from '../../lib/bounds/bounder';
import { relax } from '../../lib/bounds/relaxation';
import { parseModel } from '../../lib/network/parse';
import { convert, readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { outward } from '../../lib/region/outward';
import { type Blocks, blocksOf } from '../../lib/search/blocks';
import { doubleBounder } from '../../lib/search/double';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import {
  initialSlopes,
  type Problem,
  type ProblemLayer,
  type ProblemRow,
  problemOf,
  problemRows,
} from '../../lib/search/problem';
import { stepPrograms } from '../../lib/search/steps';
import { exactMinimumOnLine } from '../support/exact-line';
import { type Hostility, hostileNet } from '../support/hostile-nets';
import { uniform } from '../support/models';
import { compare, rational } from '../support/rational';

/**
 * The law of exact.test.ts, applied to problems that were broken on purpose: a law that accepted them would be worth nothing.
 * Each bug is put into the data of the search, not into its code.
 */
type Bug = (problem: Problem) => Problem;

const inLayers =
  (change: (layer: ProblemLayer) => Partial<ProblemLayer>): Bug =>
  (problem) => ({ ...problem, layers: problem.layers.map((layer) => ({ ...layer, ...change(layer) })) });

const bugs: { readonly [name: string]: Bug } = {
  none: (problem) => problem,
  'bounds swapped': inLayers(({ lower, upper }) => ({
    lower: upper.map((value) => -value),
    upper: lower.map((value) => -value),
  })),
  'lower bounds raised by a tenth': inLayers(({ lower, upper }) => ({
    lower: lower.map((low, j) => low + (upper[j] - low) / 10),
  })),
  'bias lost': inLayers(({ bias }) => ({ bias: new Float32Array(bias.length) })),
  'residual lost': inLayers(({ weights }) => ({
    weights: weights.map((block, s) => (s === 0 ? block : { ...block, matrix: new Float32Array(block.matrix.length) })),
  })),
  'one child of a split for its parent': (problem) => {
    const splits = problem.splits.slice();
    const unstable = (i: number): boolean => {
      const layer = problem.offsets.findLastIndex((offset) => offset <= i);
      const { lower, upper } = problem.layers[layer];
      return lower[i - problem.offsets[layer]] < 0 && upper[i - problem.offsets[layer]] > 0;
    };
    for (let i = 0; i < splits.length; i++) if (unstable(i)) splits[i] = 1;
    return { ...problem, splits };
  },
};

const margin = { coefficients: Float64Array.of(1, -1), offset: 0 };

/** What a law is tried on: nets, and boxes of which one coordinate has a width. */
interface Trial {
  readonly trait: Hostility;
  readonly radius: number;
}

const wide: Trial = { trait: 'plain', radius: 2 };
/** So small that hardly a neuron is unstable: there is no room for errors between the bound and the minimum. */
const thin = (trait: Hostility): Trial => ({ trait, radius: 1e-7 });

/** Problem, row and exact minimum of a ball. */
async function ballOf({ trait, radius }: Trial, seed: number) {
  const { bytes, inputs } = hostileNet(trait, seed);
  const { network } = readNetwork(bytes);
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const centre = uniform(seed + 40)(inputs);
  const along = random(seed).int(inputs);
  const bound = (sign: number) =>
    Float64Array.from(centre, (c, i) => Math.fround(c + (i === along ? radius * sign : 0)));
  const box = { lower: bound(-1), upper: bound(1) };
  const bounds = await bounder.preActivations(box);
  await bounder.release();
  const problem = problemOf(blocks, outward(box), bounds);
  const functional = { terms: [...margin.coefficients.entries()], offset: 0 };
  const [row] = problemRows(blocks, problem, [functional], bounds);
  const exact = convert(parseModel(bytes, ''), '');
  return { network, blocks, box, problem, row, least: exactMinimumOnLine(exact, box, margin) };
}

/** In how many of some balls the bound of the (broken) problem exceeds the exact minimum. */
async function wrongBounds(bug: Bug, trial: Trial, rowBug?: RowBug): Promise<number> {
  let wrong = 0;
  for (let seed = 0; seed < 6; seed++) {
    const { blocks, problem: sound, row, least } = await ballOf(trial, seed);
    const programs = stepPrograms(blocks);
    const program = await programs.get(blocks.relus.length);
    const problem = bug(sound);
    const { splits } = problem;
    const start = { splits, alpha: initialSlopes(problem), beta: new Float32Array(splits.length) };
    const open = [{ ...start, row: rowBug ? rowBug(row, blocks) : row }];
    const options = { steps: 30, alphaRate: 0.2, betaRate: 0.1 };
    const [result] = await optimise(program, problem, problemFeeds(problem), open, options);
    if (Number.isFinite(result.bound) && compare(rational(result.bound), least) > 0) wrong++;
    await programs.release();
  }
  return wrong;
}

test.each(Object.entries(bugs))('a search with the bug "%s" is told from a sound one', async (name, bug) => {
  const trial: Trial = name === 'residual lost' ? { ...wide, trait: 'residual' } : wide;
  const wrong = await wrongBounds(bug, trial);
  if (name === 'none') expect(wrong + (await wrongBounds(bug, { ...wide, trait: 'residual' }))).toBe(0);
  else expect(wrong).toBeGreaterThan(0);
});

/** The row with nothing subtracted for rounding: its constant is the plain sum. */
type RowBug = (row: ProblemRow, blocks: Blocks) => ProblemRow;
const bareRow: RowBug = (row, { relus, layers }) => ({
  ...row,
  constant: layers[relus.length].bias.reduce((sum, bias, c) => sum + margin.coefficients[c] * bias, 0),
});
const withoutError: Bug = inLayers(({ error }) => ({ error: new Float32Array(error.length) }));

test.each<[string, Hostility]>([
  ['plain nets', 'plain'],
  ['catastrophic cancellation', 'cancelling rows'],
  ['weights of 1e8 and 1e-8', 'scales from 1e-8 to 1e8'],
])('a search with the bug "error term left out" is told from a sound one: %s', async (_, trait) => {
  expect(await wrongBounds(bugs.none, thin(trait))).toBe(0);
  expect(await wrongBounds(withoutError, thin(trait), bareRow)).toBeGreaterThan(0);
});

test.each(Object.entries(bugs).filter(([name]) => !['bias lost', 'residual lost'].includes(name)))(
  'float64 bounds with the bug "%s" are told from sound ones',
  async (name, bug) => {
    let wrong = 0;
    for (let seed = 0; seed < 6; seed++) {
      const { network, box, problem: sound, least } = await ballOf(wide, seed);
      const problem = bug(sound);
      const { splits } = problem;
      const functional = { terms: [...margin.coefficients.entries()], offset: 0 };
      const start = { functional, splits, alpha: initialSlopes(problem), beta: new Float32Array(splits.length) };
      const { bound } = doubleBounder(network)(box, problem).bound(start);
      if (compare(rational(bound), least) > 0) wrong++;
    }
    if (name === 'none') expect(wrong).toBe(0);
    else expect(wrong).toBeGreaterThan(0);
  },
);

test('without the error term a relaxation would cut off what rounding may have moved', () => {
  const [lower, upper, error] = [Float32Array.of(-1, 0.5), Float32Array.of(2, 1), Float32Array.of(1e-6, 1e-6)];
  const sound = relax(lower, upper, error, 8);
  const bare = relax(lower, upper, new Float32Array(2), 8);
  for (const i of [0, 1]) {
    // The pre-activation is off by e at most: the line above must hold for relu(z) when it is given z - e, that below when given z + e.
    const holds = ({ upperSlope, upperIntercept, lowerSlope, lowerIntercept }: typeof sound): boolean =>
      [lower[i], upper[i]].every((z) => {
        const top = upperSlope[i] * (z - error[i]) + upperIntercept[i];
        const bottom = lowerSlope[i] * (z + error[i]) + lowerIntercept[i];
        return top >= Math.max(0, z) && bottom <= Math.max(0, z);
      });
    expect(holds(sound)).toBe(true);
    expect(holds(bare)).toBe(false);
  }
});
