import { createBounder } from '../../lib/bounds/bounder';
import { readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { foldActive } from '../../lib/search/fold';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { inputOf, problemOf, problemRows } from '../../lib/search/problem';
import { stepPrograms } from '../../lib/search/steps';
import { randomBox } from '../support/balls';
import { randomConvNet, randomMlp, randomResidualNet } from '../support/models';

describe.each([1, 2, 3])('a convolution of the input, net %i', (seed) => {
  const { network } = readNetwork(randomConvNet(seed, { input: [2, 7, 9], channels: [5, 4] }));
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const programs = stepPrograms(blocks);
  afterAll(async () => {
    await bounder.release();
    await programs.release();
  });

  test.each([
    [0.05, false],
    [0.05, true],
    [0.5, false],
    [0.5, true],
  ])('steps find the same by it as by its matrix, radius %d, folded: %s', async (radius, isFolded) => {
    const box = randomBox(network.inputSize, radius, seed);
    const bounds = await bounder.preActivations(box);
    // So that most neurons stay, folded or not.
    for (let j = 0; j < bounds[0].lower.length; j++) {
      if (j % 3 === 0) continue;
      bounds[0].lower[j] = Math.min(bounds[0].lower[j], -0.1);
      bounds[0].upper[j] = Math.max(bounds[0].upper[j], 0.1);
    }
    const own = isFolded ? foldActive(blocks, { bounds, reach: inputOf(outward(box)).reach }) : blocks;
    const found = [];
    for (const one of [own, { ...own, conv: undefined }]) {
      const problem = problemOf(one, outward(box), bounds);
      expect(problem.convSize).toBe(one.conv === undefined ? undefined : bounds[0].lower.length);
      const neurons = problem.offsets[problem.layers.length];
      const [row] = problemRows(one, problem, [{ terms: [[0, 1] as const, [1, -1] as const], offset: 0.25 }], bounds);
      const draws = random(seed + 7);
      const open = Array.from({ length: 5 }, () => {
        const splits = Int8Array.from({ length: neurons }, () => draws.int(3) - 1);
        return {
          row,
          splits,
          alpha: Float32Array.from(splits, () => draws.uniform()),
          beta: Float32Array.from(splits, (split) => (split === 0 ? 0 : draws.uniform())),
        };
      });
      const program = await programs.get(blocks.relus.length, isFolded);
      const results = await optimise(program, problem, problemFeeds(problem), open, {
        steps: 1,
        alphaRate: 0.1,
        betaRate: 0.1,
      });
      found.push(results.map((result) => ({ bound: result.bound, gaps: result.gaps(), corner: result.corner() })));
    }
    const [byConv, byMatrix] = found;
    for (const [n, { bound, gaps, corner }] of byConv.entries()) {
      const scale = 1 + Math.abs(byMatrix[n].bound);
      expect(Math.abs(bound - byMatrix[n].bound)).toBeLessThan(1e-4 * scale);
      expect(Math.abs(bound)).toBeGreaterThan(1e-3);
      // A corner may differ where a coefficient is nearly 0.
      const differing = corner.filter((e, i) => Math.abs(e - byMatrix[n].corner[i]) > 1e-3).length;
      expect(differing).toBeLessThanOrEqual(1);
      if (differing > 0) continue;
      for (const [j, gap] of gaps.entries()) expect(Math.abs(gap - byMatrix[n].gaps[j])).toBeLessThan(1e-3 * scale);
    }
  });

  test('few neurons are taken as a matrix', async () => {
    const bounds = await bounder.preActivations(randomBox(network.inputSize, 0.1, seed));
    const least = Math.ceil(bounds[0].upper.length / 4);
    for (const [alive, isConv] of [
      [least, true],
      [least - 1, false],
    ] as const) {
      const upper = bounds[0].upper.map((_, j) => (j < alive ? 1 : -1));
      const layers = [{ lower: bounds[0].lower, upper }, ...bounds.slice(1)];
      const problem = problemOf(blocks, outward(randomBox(network.inputSize, 0.1, seed)), layers);
      expect(problem.convSize !== undefined).toBe(isConv);
    }
  });
});

test.each([
  ['fully connected', randomMlp([6, 12, 4], 1), false],
  ['residual', randomResidualNet(2), true],
] as const)('a %s net: whether its first layer is a convolution of the input', (_, bytes, isConv) => {
  expect(blocksOf(readNetwork(bytes).network).conv !== undefined).toBe(isConv);
});
