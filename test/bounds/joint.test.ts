import { createBounder } from '../../lib/bounds/bounder';
import { createJointBounder } from '../../lib/bounds/joint/joint';
import { highestAbove, jointLayer, lowestAbove } from '../../lib/bounds/joint/lines';
import { marginRows } from '../../lib/bounds/margin';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import { parseModel } from '../../lib/network/parse';
import { convert, readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import type { Box } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import { pointsOf } from '../support/balls';
import { exactMinimumOnLine } from '../support/exact-line';
import { type Hostility, hostileNet } from '../support/hostile-nets';
import { randomConvNet, randomMlp, uniform } from '../support/models';
import { compare, rational } from '../support/rational';

/** Boxes around points near one another; in `wide` coordinates of each they have a width. */
function similarBoxes(size: number, radius: number, spread: number, seed: number, wide = size, count = 5): Box[] {
  const base = uniform(seed)(size);
  return Array.from({ length: count }, (_, m) => {
    const shift = uniform(1000 * seed + m + 1)(size, spread);
    const first = random(seed + m).int(size);
    const bound = (sign: number): Float64Array =>
      Float64Array.from(base, (c, i) => {
        const isWide = (i - first + size) % size < wide;
        return Math.fround(c + shift[i] + (isWide ? sign * radius : 0));
      });
    return { lower: bound(-1), upper: bound(1) };
  });
}

describe.each<[string, readonly number[], number]>([
  ['a small net', [6, 12, 10, 4], 1],
  ['a deep narrow net', [4, 6, 6, 6, 6, 6, 3], 2],
  ['a wide net', [20, 200, 5], 3],
])('joint bounds of %s', (_, sizes, seed) => {
  const { network } = readNetwork(randomMlp(sizes, seed));
  const rows = marginRows(misclassification(1, network.classes));

  test.each([0, 0.02, 0.3])(
    'no point of a box of radius %d crosses a bound, and single bounds are not much better',
    async (radius) => {
      const bounder = createBounder(network);
      const joint = createJointBounder(bounder.programs);
      const boxes = similarBoxes(network.inputSize, radius, 0.1, seed);
      const queries = boxes.map((box) => ({ box, rows }));
      const bounds = await joint.bound(queries);
      const single = await bounder.bound(queries);
      let [crossed, worse] = [0, 0];
      for (const [m, box] of boxes.entries()) {
        for (const x of pointsOf(box, 40, m)) {
          const scores = evaluate(network, x)[network.output];
          for (const [k, { coefficients }] of rows.entries()) {
            const value = scores.reduce((sum, score, c) => sum + coefficients[c] * score, 0);
            if (!(value >= bounds[m][k])) crossed++;
          }
        }
        for (const k of rows.keys()) if (bounds[m][k] < single[m].rows[k] - 1e-3 - 20 * radius) worse++;
      }
      expect({ crossed, worse }).toEqual({ crossed: 0, worse: 0 });
      await joint.release();
      await bounder.release();
    },
  );

  test('of one ball they are its own bounds, up to rounding', async () => {
    const bounder = createBounder(network, { stages: false });
    const joint = createJointBounder(bounder.programs);
    const [box] = similarBoxes(network.inputSize, 0.05, 0, seed);
    const [alone] = await joint.bound([{ box, rows }]);
    const [own] = await bounder.bound([{ box, rows }]);
    for (const k of rows.keys()) expect(alone[k]).toBeCloseTo(own.rows[k], 2);
    await joint.release();
    await bounder.release();
  });
});

type MakeLayer = typeof jointLayer;

/** What a wrong maker of lines would do to the tables of a layer. */
const bugs: { readonly [name: string]: MakeLayer } = {
  none: jointLayer,
  "intercepts of another member's": (chain, k, bounds) => {
    const layer = jointLayer(chain, k, bounds);
    const m = layer.alive.length;
    const turned = (table: Float32Array): Float32Array =>
      Float32Array.of(...table.subarray(m), ...table.subarray(0, m));
    const { own } = layer;
    return {
      ...layer,
      lowerIntercept: turned(layer.lowerIntercept),
      upperIntercept: turned(layer.upperIntercept),
      own: { ...own, lowerIntercept: turned(own.lowerIntercept), upperIntercept: turned(own.upperIntercept) },
    };
  },
  'a neuron that is inactive on one member dropped for all': (chain, k, { lower, upper, ...rest }) => {
    const { size } = chain.layers[k];
    const least = Array.from({ length: size }, (_, j) =>
      upper.reduce((low, high, i) => (i % size === j ? Math.min(low, high) : low), Number.POSITIVE_INFINITY),
    );
    return jointLayer(chain, k, { lower, upper: upper.map((high, i) => (least[i % size] <= 0 ? -1 : high)), ...rest });
  },
  'the first member stands for all': (chain, k, bounds) => {
    const { size } = chain.layers[k];
    const first = (table: Float32Array): Float32Array => table.map((_, i) => table[i % size]);
    const { lower, upper, error, centre } = bounds;
    return jointLayer(chain, k, { lower: first(lower), upper: first(upper), error: first(error), centre });
  },
};
/** How many bounds of some mini-batches exceed the exact minimum; boxes have a width in one coordinate. */
async function wrongBounds(makeLayer: MakeLayer, trait: Hostility, radius: number, spread: number): Promise<number> {
  let wrong = 0;
  for (let seed = 0; seed < 6; seed++) {
    const { bytes, inputs } = hostileNet(trait, seed);
    const { network } = readNetwork(bytes);
    const exact = convert(parseModel(bytes, ''), '');
    const bounder = createBounder(network);
    const joint = createJointBounder(bounder.programs, makeLayer);
    const rows = [1, -1].map((sign) => ({ coefficients: Float64Array.of(sign, -sign), offset: 0 }));
    const boxes = similarBoxes(inputs, radius, spread, seed + 40, 1);
    const bounds = await joint.bound(boxes.map((box) => ({ box, rows })));
    for (const [m, box] of boxes.entries()) {
      for (const [r, row] of rows.entries()) {
        if (!Number.isFinite(bounds[m][r])) continue;
        if (compare(rational(bounds[m][r]), exactMinimumOnLine(exact, box, row)) > 0) wrong++;
      }
    }
    await joint.release();
    await bounder.release();
  }
  return wrong;
}

test.each(Object.entries(bugs))('lines with the bug "%s" are told from sound ones', async (name, makeLayer) => {
  const wrong = await wrongBounds(makeLayer, 'plain', 0.5, 0.5);
  if (name === 'none') expect(wrong).toBe(0);
  else expect(wrong).toBeGreaterThan(0);
});

test.each<Hostility>([
  'cancelling rows',
  'scales from 1e-8 to 1e8',
  'weights down to denormal',
  'weights from 1e-30 to 1e30',
  'eight hundred inputs',
])('never better than the exact minimum: %s', async (trait) => {
  expect(await wrongBounds(jointLayer, trait, 1e-7, 1e-3)).toBe(0);
});

test('intercepts hold the error of what the layer reads, and of the sums they take part in', () => {
  const { network } = readNetwork(randomMlp([3, 40, 2], 7));
  const chain = createBounder(network).programs.dense!;
  const rng = random(8);
  const table = (draw: () => number): Float32Array => Float32Array.from({ length: 4 * 40 }, draw);
  const centre = table(() => rng.normal());
  const width = table(() => rng.uniform());
  const error = table(() => 0.01 * rng.uniform());
  const lower = centre.map((c, i) => c - width[i]);
  const upper = centre.map((c, i) => c + width[i]);
  const layer = jointLayer(chain, 0, { lower, upper, error, centre });
  const m = layer.alive.length;
  let missing = 0;
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < m; j++) {
      const at = i * 40 + layer.alive[j];
      const [ls, us] = [layer.lowerSlope[j], layer.upperSlope[j]];
      const below = lowestAbove(ls, lower[at], upper[at]) - ls * error[at];
      const above = highestAbove(us, lower[at], upper[at]) + us * error[at];
      const rounding = 40 * 2 ** -24;
      if (layer.lowerIntercept[i * m + j] > below - rounding * Math.abs(below)) missing++;
      if (layer.upperIntercept[i * m + j] < above + rounding * Math.abs(above)) missing++;
    }
  }
  expect(m).toBeGreaterThan(20);
  expect(missing).toBe(0);
});

test('a line of any slope in [0, 1] keeps on its side of ReLU', () => {
  const rng = random(5);
  let wrong = 0;
  for (let n = 0; n < 2000; n++) {
    const [a, b] = [rng.normal(), rng.normal()];
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    const slope = rng.int(11) / 10;
    const [below, above] = [lowestAbove(slope, low, high), highestAbove(slope, low, high)];
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const z of [low, high, ...(low < 0 && high > 0 ? [0] : []), low + (high - low) * rng.uniform()]) {
      const gap = Math.max(z, 0) - slope * z;
      least = Math.min(least, gap);
      greatest = Math.max(greatest, gap);
    }
    // Nor further away than it has to be.
    if (below > least + 1e-12 || above < greatest - 1e-12 || below < least - 1e-12 || above > greatest + 1e-12) wrong++;
  }
  expect(wrong).toBe(0);
});

test('one member without finite bounds proves nothing for itself and nothing wrong for others', async () => {
  const { network } = readNetwork(randomMlp([4, 8, 8, 3], 9));
  const bounder = createBounder(network, { stages: false });
  const joint = createJointBounder(bounder.programs);
  const rows = marginRows(misclassification(0, 3));
  const [box, other] = similarBoxes(4, 0.1, 0.1, 9);
  const endless = { lower: other.lower.map(() => Number.NEGATIVE_INFINITY), upper: other.upper };
  const [bounds, none] = await joint.bound([
    { box, rows },
    { box: endless, rows },
  ]);
  const [own] = await bounder.bound([{ box, rows }]);
  for (const k of rows.keys()) {
    expect(bounds[k]).toBeLessThanOrEqual(own.rows[k] + 1e-3);
    expect(none[k]).toBe(Number.NEGATIVE_INFINITY);
  }
  await joint.release();
  await bounder.release();
});

test('a layer that is inactive on all members leaves the constants of the next', async () => {
  const { network } = readNetwork(randomMlp([4, 8, 8, 3], 9));
  const silent: Network = {
    ...network,
    nodes: network.nodes.map((node, id) =>
      node.kind === 'dense' && id > 1 && node.size === 8 ? { ...node, bias: node.bias.map(() => -100) } : node,
    ),
  };
  const bounder = createBounder(silent);
  const joint = createJointBounder(bounder.programs);
  const rows = marginRows(misclassification(0, 3));
  const boxes = similarBoxes(4, 0.1, 0.1, 9);
  const bounds = await joint.bound(boxes.map((box) => ({ box, rows })));
  const scores = evaluate(silent, new Float32Array(4))[silent.output];
  for (const [m] of boxes.entries())
    for (const [k, { coefficients }] of rows.entries()) {
      const value = scores.reduce((sum, score, c) => sum + coefficients[c] * score, 0);
      expect(bounds[m][k]).toBeLessThanOrEqual(value);
      expect(bounds[m][k]).toBeGreaterThan(value - 0.01);
    }
  expect(await joint.bound([])).toEqual([]);
  await joint.release();
  await bounder.release();
});

test.each<[string, Uint8Array]>([
  ['convolutions', randomConvNet(4)],
  ['twenty-five layers', hostileNet('twenty-five layers', 1).bytes],
])('networks of another kind are refused: %s', async (_, bytes) => {
  const bounder = createBounder(readNetwork(bytes).network);
  const joint = createJointBounder(bounder.programs);
  expect(joint.applies).toBe(false);
  await expect(joint.bound([])).rejects.toThrow('no joint bounds for this network');
  await bounder.release();
});
