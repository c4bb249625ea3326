import { createBounder } from '../../lib/bounds/bounder';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import { parseModel } from '../../lib/network/parse';
import { convert, readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import type { Box } from '../../lib/region/box';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { doubleBounder } from '../../lib/search/double';
import { doubleLeaf } from '../../lib/search/double-leaf';
import { type Problem, problemOf } from '../../lib/search/problem';
import { pointsOf, randomBox } from '../support/balls';
import { exactMinimumOnLine } from '../support/exact-line';
import { hostileNet, hostilities } from '../support/hostile-nets';
import { randomConvNet, randomMlp, randomResidualNet, uniform } from '../support/models';
import { operatorNet } from '../support/operator-net';
import { approximate, compare, rational } from '../support/rational';

const margin = [
  [0, 1],
  [1, -1],
] as const;
const row = { coefficients: Float64Array.of(1, -1), offset: 0 };

/** A box of which one coordinate has a width, so that the exact minimum is known. */
function segment(inputs: number, seed: number, radius: number): Box {
  const centre = uniform(3 * seed + 1)(inputs);
  const wide = random(seed).int(inputs);
  const bound = (sign: number) => Float64Array.from(centre, (c, i) => c + (i === wide ? sign * radius : 0));
  return { lower: bound(-1), upper: bound(1) };
}

async function problemOn(network: Network, box: Box): Promise<Problem> {
  const bounder = createBounder(network);
  const bounds = await bounder.preActivations(box);
  await bounder.release();
  return problemOf(blocksOf(network), outward(box), bounds);
}

/** Slopes and multipliers drawn at random; multipliers only where there is a split. */
function draws(problem: Problem, splits: Int8Array, seed: number) {
  const rng = random(seed);
  const alpha = Float64Array.from(splits, () => rng.uniform());
  const beta = Float64Array.from(splits, (split) => (split === 0 ? 0 : 2 * rng.uniform()));
  return { functional: { terms: margin, offset: 0 }, splits, alpha, beta, problem };
}

describe.each(hostilities)('float64 bounds against exact rational minima: %s', (trait) => {
  test('never above the minimum of the model as the file has it', async () => {
    let [compared, above] = [0, 0];
    for (let seed = 1; seed < 3; seed++) {
      const { bytes, inputs } = hostileNet(trait, seed);
      const { network } = readNetwork(bytes);
      const exact = convert(parseModel(bytes, trait), trait);
      for (const radius of [1e-9, 1e-3, 0.5]) {
        const box = segment(inputs, seed, radius);
        const problem = await problemOn(network, box);
        const { bound } = doubleBounder(network)(box, problem).bound(draws(problem, problem.splits, seed));
        if (bound === Number.NEGATIVE_INFINITY) continue;
        compared++;
        if (compare(rational(bound), exactMinimumOnLine(exact, box, row)) > 0) above++;
      }
    }
    expect(above).toBe(0);
    expect(compared).toBeGreaterThan(2);
  });
});

test('where no neuron is unstable the bound is the minimum to some 1e-12', async () => {
  let tight = 0;
  for (let seed = 0; seed < 12; seed++) {
    const { network } = readNetwork(randomMlp([3, 6, 5, 2], 40 + seed));
    const box = segment(3, seed, 1e-5);
    const problem = await problemOn(network, box);
    if (problem.layers.some(({ lower, upper }) => lower.some((l, j) => l < 0 && upper[j] > 0))) continue;
    const { bound } = doubleBounder(network)(box, problem).bound(draws(problem, problem.splits, seed));
    const least = approximate(exactMinimumOnLine(network, box, row));
    expect(least - bound).toBeLessThan(1e-12);
    tight++;
  }
  expect(tight).toBeGreaterThan(5);
});

const nets: [string, Uint8Array][] = [
  ['fully connected', randomMlp([6, 12, 10, 8, 4], 11)],
  ['convolutional', randomConvNet(12)],
  ['residual', randomResidualNet(13)],
  ['operator', operatorNet(14)],
];

test.each(nets)(
  'any slopes, multipliers, splits and cuts give bounds that hold, and leaves their minima: %s net',
  async (_, bytes) => {
    const { network } = readNetwork(bytes);
    const box = randomBox(network.inputSize, 0.3, 5);
    const problem = await problemOn(network, box);
    const bounds = doubleBounder(network)(box, problem);
    const points = pointsOf(box, 40, 6).map((x) => evaluate(network, x));
    const layers = points.map((values) =>
      network.nodes.flatMap((node) => (node.kind === 'relu' ? [values[node.from]] : [])),
    );
    const z = (p: number, n: number): number => {
      const k = problem.offsets.findLastIndex((offset) => offset <= n);
      return layers[p][k][problem.layers[k].alive[n - problem.offsets[k]]];
    };
    const neurons = problem.splits.length;
    let [compared, above] = [0, 0];
    for (let n = 0; n < 40; n++) {
      const rng = random(n, 9);
      const model = n % points.length;
      const splits = problem.splits.map((_, i) => (rng.int(4) === 0 ? (z(model, i) >= 0 ? 1 : -1) : 0));
      // Half of them with neurons cut elsewhere than at 0: the side that the model's point is on.
      const lower = new Float32Array(neurons);
      const upper = new Float32Array(neurons);
      for (const [k, layer] of problem.layers.entries()) {
        lower.set(layer.lower, problem.offsets[k]);
        upper.set(layer.upper, problem.offsets[k]);
      }
      const sub = draws(problem, splits, n);
      const narrowed = n % 2 === 0 ? undefined : { lower, upper };
      for (let c = 0; narrowed && c < 5; c++) {
        const i = rng.int(neurons);
        if (splits[i] !== 0) continue;
        const at = Math.fround(lower[i] + (upper[i] - lower[i]) * rng.uniform());
        if (z(model, i) >= at) lower[i] = at;
        else upper[i] = at;
        sub.beta[i] = 2 * rng.uniform() - 1;
      }
      const { bound } = bounds.bound({ ...sub, ...(narrowed && { narrowed }) });
      for (const [p, values] of points.entries()) {
        const meets = (i: number): boolean =>
          splits[i] * z(p, i) >= 0 && (!narrowed || (z(p, i) >= lower[i] && z(p, i) <= upper[i]));
        if (![...splits.keys()].every(meets)) continue;
        compared++;
        const scores = values[network.output];
        if (scores[0] - scores[1] < bound) above++;
      }
    }
    expect(above).toBe(0);
    expect(compared).toBeGreaterThanOrEqual(40);
    // A leaf with the signs of a point: the program's multipliers give a bound next to the value at its minimiser.
    let leaves = 0;
    for (const p of points.keys()) {
      const splits = problem.splits.map((_, i) => (z(p, i) >= 0 ? 1 : -1));
      const solution = await doubleLeaf(problem, bounds, {
        ...draws(problem, splits, p),
        beta: new Float64Array(neurons),
      });
      if (!solution) continue;
      const x = solution.corner.map((e, i) => problem.centre[i] + problem.radius[i] * e);
      const scores = evaluate(network, x)[network.output];
      if (Math.abs(scores[0] - scores[1] - solution.bound) < 1e-5) leaves++;
      if (p === 4) break;
    }
    expect(leaves).toBeGreaterThanOrEqual(4);
  },
);
