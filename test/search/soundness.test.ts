import { createBounder } from '../../lib/bounds/bounder';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import { readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { foldActive } from '../../lib/search/fold';
import { optimise, problemFeeds } from '../../lib/search/optimise';
import { type Assumptions, inputOf, type LayerBounds, problemOf, problemRows } from '../../lib/search/problem';
import { stepPrograms } from '../../lib/search/steps';
import { tightenBounds } from '../../lib/search/tighten';
import { pointsOf, randomBox } from '../support/balls';
import { randomConvNet, randomMlp, randomResidualNet } from '../support/models';
import { operatorNet } from '../support/operator-net';

const nets: [string, Uint8Array][] = [
  ['fully connected', randomMlp([6, 12, 10, 8, 4], 11)],
  ['convolutional', randomConvNet(12)],
  ['residual', randomResidualNet(13)],
  ['operator', operatorNet(14)],
];

/** Pre-activations of every ReLU layer at a point, in float64. */
function preActivations(network: Network, x: Float32Array): Float64Array[] {
  const values = evaluate(network, x);
  return network.nodes.flatMap((node) => (node.kind === 'relu' ? [values[node.from]] : []));
}

/** How many pre-activations lie outside their bounds. */
function outside(layers: readonly Float64Array[], bounds: readonly LayerBounds[]): number {
  let count = 0;
  for (const [k, layer] of layers.entries()) {
    const { lower, upper } = bounds[k];
    for (let j = 0; j < layer.length; j++) if (!(layer[j] >= lower[j] && layer[j] <= upper[j])) count++;
  }
  return count;
}

const deadline = Number.POSITIVE_INFINITY;

describe.each(nets)('search on a %s net', (_, bytes) => {
  const { network } = readNetwork(bytes);
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const programs = stepPrograms(blocks);
  const outputs = blocks.relus.length;
  afterAll(async () => {
    await bounder.release();
    await programs.release();
  });

  test('the blocks compute what the network computes', () => {
    for (const x of pointsOf(randomBox(network.inputSize, 1, 1), 10, 1)) {
      const values = evaluate(network, x);
      for (const [k, layer] of blocks.layers.entries()) {
        const end = network.nodes[blocks.relus[k]];
        const expected = values[end?.kind === 'relu' ? end.from : network.output];
        for (let j = 0; j < expected.length; j++) {
          let value = layer.bias[j];
          for (const [s, id] of layer.sources.entries()) {
            const { index, value: weights } = layer.rows[s][j];
            for (let i = 0; i < index.length; i++) value += weights[i] * values[id][index[i]];
          }
          expect(value).toBeCloseTo(expected[j], 10);
        }
      }
    }
  });

  test.each([
    [0.02, 0],
    [0.2, 0],
    [0.2, 12],
    [1, 0],
    [1, 12],
  ])('tightened bounds hold at all points, and are never wider: radius %d, %d leaves', async (radius, leaves) => {
    const box = randomBox(network.inputSize, radius, 3);
    const rough = await bounder.preActivations(box);
    const bounds = await tightenBounds(blocks, outward(box), rough, programs.get, { steps: 8, deadline, leaves });
    for (const x of pointsOf(box, 30, 2)) expect(outside(preActivations(network, x), bounds)).toBe(0);
    for (const k of rough.keys()) {
      expect(bounds[k].lower.filter((low, j) => low < rough[k].lower[j])).toHaveLength(0);
      expect(bounds[k].upper.filter((high, j) => high > rough[k].upper[j])).toHaveLength(0);
    }
  });

  test.each([
    [0.05, false],
    [0.05, true],
    [0.3, false],
    [0.3, true],
    [1, false],
  ])(
    'any slopes, multipliers and splits give bounds that hold, radius %d, active neurons folded: %s',
    async (radius, isFolded) => {
      const rng = random(77);
      const box = randomBox(network.inputSize, radius, 5);
      const bounds = await bounder.preActivations(box);
      const own = isFolded ? foldActive(blocks, { bounds, reach: inputOf(outward(box)).reach }) : blocks;
      const problem = problemOf(own, outward(box), bounds);
      const neurons = problem.offsets[problem.layers.length];
      if (isFolded) expect(problem.layers.some(({ folded }) => folded.neurons.length > 0)).toBe(true);
      const functional = { terms: [[0, 1] as const, [1, -1] as const], offset: 0.25 };
      const [row] = problemRows(own, problem, [functional], bounds);
      const points = pointsOf(box, 60, 6).map((x) => ({
        values: evaluate(network, x)[network.output],
        layers: preActivations(network, x),
      }));
      const open = Array.from({ length: 40 }, (_, n) => {
        // Signs that some point of the ball really has, so that points are left to compare with.
        const model = points[n % points.length].layers;
        const splits = new Int8Array(neurons);
        for (const [k, { alive }] of problem.layers.entries()) {
          for (const [r, j] of alive.entries())
            if (rng.int(4) === 0) splits[problem.offsets[k] + r] = model[k][j] >= 0 ? 1 : -1;
        }
        const alpha = Float32Array.from(splits, () => rng.uniform());
        const beta = Float32Array.from(splits, (split) => (split === 0 ? 0 : 2 * rng.uniform()));
        return { row, splits, alpha, beta };
      });
      const feeds = problemFeeds(problem);
      let compared = 0;
      for (const steps of [1, 6]) {
        const rates = { alphaRate: 0.2, betaRate: 0.2 };
        const results = await optimise(await programs.get(outputs, isFolded), problem, feeds, open, {
          steps,
          ...rates,
        });
        // Where something is left open there is a minimiser, whatever the number of steps.
        if (results.some(({ bound }) => !(bound > 0)))
          for (const { corner } of results) {
            expect(corner().some((e) => e !== 0)).toBe(true);
            expect(corner().every((e) => Math.abs(e) <= 1)).toBe(true);
          }
        for (const [n, { splits }] of open.entries()) {
          for (const { values, layers } of points) {
            const meets = problem.layers.every(({ alive }, k) =>
              alive.every((j, r) => splits[problem.offsets[k] + r] * layers[k][j] >= 0),
            );
            if (!meets) continue;
            compared++;
            expect(values[0] - values[1] + 0.25).toBeGreaterThanOrEqual(results[n].bound);
          }
        }
      }
      expect(compared).toBeGreaterThanOrEqual(80);
    },
  );

  test('bounds under assumptions hold where the assumptions do', async () => {
    const box = randomBox(network.inputSize, 0.5, 8);
    const rough = await bounder.preActivations(box);
    const points = pointsOf(box, 100, 9).map((x) => preActivations(network, x));
    let compared = 0;
    for (let n = 0; n < 4; n++) {
      const assumed: Assumptions = rough.map(({ lower, upper }, k) => {
        const unstable = [...lower.keys()].filter((j) => lower[j] < 0 && upper[j] > 0).slice(n, n + 1);
        return new Map(unstable.map((j) => [j, points[n][k][j] >= 0 ? (1 as const) : (-1 as const)]));
      });
      const bounds = await tightenBounds(blocks, outward(box), rough, programs.get, {
        steps: 6,
        deadline,
        assumed,
        leaves: 4 * n,
      });
      for (const layers of points) {
        if (!assumed.every((signs, k) => [...signs].every(([j, sign]) => sign * layers[k][j] >= 0))) continue;
        compared++;
        expect(outside(layers, bounds)).toBe(0);
      }
    }
    expect(compared).toBeGreaterThan(8);
  });

  test('more steps never lower the bound, and optimising pays', async () => {
    const box = randomBox(network.inputSize, 0.3, 10);
    const bounds = await bounder.preActivations(box);
    const problem = problemOf(blocks, outward(box), bounds);
    const neurons = problem.offsets[problem.layers.length];
    const [row] = problemRows(
      blocks,
      problem,
      [
        {
          terms: [
            [0, 1],
            [1, -1],
          ],
          offset: -100,
        },
      ],
      bounds,
    )!;
    const start = {
      row,
      splits: new Int8Array(neurons),
      alpha: new Float32Array(neurons),
      beta: new Float32Array(neurons),
    };
    const program = await programs.get(outputs);
    const feeds = problemFeeds(problem);
    const found: number[] = [];
    for (const steps of [1, 5, 30]) {
      const options = { steps, alphaRate: 0.25, betaRate: 0.1 };
      found.push((await optimise(program, problem, feeds, [start], options))[0].bound);
    }
    expect(found[1]).toBeGreaterThanOrEqual(found[0]);
    expect(found[2]).toBeGreaterThanOrEqual(found[1]);
    expect(found[2]).toBeGreaterThan(found[0]);
  });
});
