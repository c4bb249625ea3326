import { createBounder } from '../../lib/bounds/bounder';
import { chunkOf } from '../../lib/bounds/chunk';
import { denseChunkOf } from '../../lib/bounds/dense/chunk';
import { columnNorms, enlargeDiagonals, inputFactors } from '../../lib/bounds/dense/gram';
import { emitRoughInput } from '../../lib/bounds/dense/program';
import { marginRows } from '../../lib/bounds/margin';
import type { Programs } from '../../lib/bounds/programs';
import { indexTensor, sessionCache, shapedTensor } from '../../lib/bounds/sessions';
import { evaluate } from '../../lib/network/evaluate';
import { readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import type { Box } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { hostileNet } from '../support/hostile-nets';
import { randomConvNet, randomMlp, uniform } from '../support/models';

const mlps: [string, readonly number[], number][] = [
  ['a small net', [6, 12, 10, 4], 1],
  ['a deep net', [5, 16, 16, 16, 16, 3], 2],
  ['one hidden layer', [20, 60, 5], 3],
];
const boxesOf = (size: number, radius: number, count = 8): Box[] =>
  Array.from({ length: count }, (_, i) => randomBox(size, radius, 50 * i + 3));

/** Bounds of every ReLU's input, [balls, size], by one pass. */
async function passed(programs: Programs, boxes: readonly Box[], way: 'rough' | 'full' | 'any network') {
  const chunk =
    way === 'any network'
      ? chunkOf(programs, boxes)
      : denseChunkOf(programs, programs.workspace()!, boxes, { effort: way, keepBounds: true });
  await chunk.propagate();
  const layers = programs.relus.map((relu) => chunk.preActivation(relu));
  chunk.release();
  return layers;
}

describe.each(mlps)('dense passes over %s', (_, sizes, seed) => {
  const { network } = readNetwork(randomMlp(sizes, seed));
  const bounder = createBounder(network);
  const { programs } = bounder;
  afterAll(() => bounder.release());

  test.each([0.05, 0.4])(
    'radius %d: on compacted networks the bounds are those of the way of any network',
    async (radius) => {
      const boxes = boxesOf(network.inputSize, radius);
      const [found, expected] = [await passed(programs, boxes, 'full'), await passed(programs, boxes, 'any network')];
      let worst = 0;
      for (const [k, { lower, upper }] of expected.entries()) {
        for (let i = 0; i < lower.length; i++) {
          // Where a sign is decided, by one or the other, the rest need not be as good.
          if (upper[i] <= 1e-4 || (lower[i] >= -1e-4 && found[k].lower[i] >= 0)) continue;
          const off = Math.max(Math.abs(found[k].lower[i] - lower[i]), Math.abs(found[k].upper[i] - upper[i]));
          worst = Math.max(worst, off / (1 + upper[i] - lower[i]));
        }
      }
      expect(worst).toBeLessThan(3e-4);
    },
  );

  test.each([0.05, 0.4])(
    'radius %d: rough bounds hold at points and corners, and are not better than full ones',
    async (radius) => {
      const boxes = boxesOf(network.inputSize, radius);
      const [rough, full] = [await passed(programs, boxes, 'rough'), await passed(programs, boxes, 'full')];
      let [crossed, looser] = [0, 0];
      for (const [ball, box] of boxes.entries()) {
        for (const x of pointsOf(box, 40, ball)) {
          const values = evaluate(network, x);
          for (const [k, relu] of programs.relus.entries()) {
            const node = network.nodes[relu];
            const z = values[node.kind === 'relu' ? node.from : 0];
            for (let j = 0, i = ball * node.size; j < node.size; j++, i++) {
              if (z[j] < rough[k].lower[i] || z[j] > rough[k].upper[i]) crossed++;
            }
          }
        }
      }
      for (const [k, { lower, upper }] of full.entries()) {
        for (let i = 0; i < lower.length; i++) {
          if (lower[i] < 0 && upper[i] > 0 && rough[k].upper[i] - rough[k].lower[i] > upper[i] - lower[i] + 1e-4)
            looser++;
        }
      }
      expect(crossed).toBe(0);
      if (programs.relus.length > 1 && radius > 0.1) expect(looser).toBeGreaterThan(0);
    },
  );
});

test('what the form says of the reach is never below it, and mostly at most 40 % above', async () => {
  const rng = random(11);
  const draw = uniform(12);
  let [below, above, finite] = [0, 0, 0];
  for (let trial = 0; trial < 60; trial++) {
    const [size, n] = [1 + rng.int(12), 1 + rng.int(300)];
    const hostile = trial % 2 === 1;
    const scale = (): number => (hostile ? 10 ** (rng.int(70) - 35) : 1);
    const weight = draw(size * n).map((w) => w * scale());
    // Rows that cancel nearly, where the form is small and its terms are not.
    if (trial % 3 === 0) for (let i = n; i < size * n; i++) weight[i] = weight[i - n] * (1 + 1e-6 * rng.uniform());
    const radius = draw(n).map((r) => (rng.int(5) === 0 ? 0 : Math.abs(r) * scale()));
    const cache = sessionCache(1);
    const session = await cache.get('rough', () => emitRoughInput(weight, size));
    const factor = new Float32Array(n);
    const [k] = inputFactors(radius, [0], columnNorms(weight, n), factor);
    const every = Int32Array.from({ length: size }, (_, j) => j);
    const gram = Float32Array.from(
      (await session.run({ index: indexTensor(every, [1, size]), factor: shapedTensor(factor, [1, 1, n]) })).gram,
    );
    enlargeDiagonals(gram, [size], n);
    for (let row = 0; row < 10; row++) {
      const a = draw(size).map((v, j) => (trial % 3 === 0 && j > 0 ? -v : v) * scale());
      let reach = 0;
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += a[j] * weight[j * n + i];
        reach += radius[i] * Math.abs(sum);
      }
      // As the program does, in float32.
      let form = Math.fround(2 ** -80);
      for (let j = 0; j < size; j++) {
        let product = 0;
        for (let l = 0; l < size; l++) product = Math.fround(product + Math.fround(a[l] * gram[l * size + j]));
        form = Math.fround(form + Math.fround(product * a[j]));
      }
      const bound = Math.fround(k * Math.fround(Math.sqrt(form)));
      if (!(bound < Number.POSITIVE_INFINITY)) continue;
      finite++;
      // Float64 sums here are exact enough: the bound has 2^-20 to spare.
      if (bound < reach * (1 - 2 ** -40)) below++;
      if (!hostile && trial % 3 !== 0 && n > 100 && bound > 1.6 * reach) above++;
    }
    await cache.release();
  }
  expect(below).toBe(0);
  expect(above).toBe(0);
  expect(finite).toBeGreaterThan(250);
});

test('without room on the diagonal, rounding would bring the form below the reach', () => {
  // (1, 1) and (1 + 2^-24, ...) differ by less than float32 tells: the form of their difference comes out as 0.
  const gram = new Float32Array(4).fill(1);
  const a = Float32Array.of(1, -1);
  const form = (): number => a[0] * a[0] * gram[0] + 2 * a[0] * a[1] * gram[1] + a[1] * a[1] * gram[3];
  const difference = 2 ** -24;
  expect(form()).toBeLessThan(difference ** 2);
  enlargeDiagonals(gram, [2], 1);
  expect(form()).toBeGreaterThan(difference ** 2);
});

test('where rounding could be most of the form, it proves nothing', () => {
  const gram = new Float32Array(16).fill(1);
  enlargeDiagonals(gram, [4], 2 ** 22);
  expect(gram[0]).toBe(Number.POSITIVE_INFINITY);
});

describe.each([
  ['a small net', randomMlp([24, 12, 10, 8, 4], 1)],
  ['a deep net', randomMlp([32, 16, 16, 16, 16, 4], 2)],
  ['a convolutional net', randomConvNet(4)],
  ['eight hundred inputs', hostileNet('eight hundred inputs', 1).bytes],
])('rows of %s in two stages', (_, bytes) => {
  const { network } = readNetwork(bytes);
  const staged = createBounder(network);
  const full = createBounder(network, { stages: false });
  afterAll(() => Promise.all([staged.release(), full.release()]));
  /** The margins of what the net says at the centre. */
  const rowsOf = ({ lower, upper }: Box) => {
    const scores = [
      ...evaluate(
        network,
        lower.map((low, i) => (low + upper[i]) / 2),
      )[network.output],
    ];
    return marginRows(misclassification(scores.indexOf(Math.max(...scores)), network.classes));
  };
  const queriesOf = (radius: number, count: number) =>
    boxesOf(network.inputSize, radius, count).map((box) => ({ box, rows: rowsOf(box) }));

  test('none is above a value of the box, none below what the rough pass proved, and what is proven at once is proven together', async () => {
    const radii = [0.001, 0.01, 0.05, 0.2];
    const queries = radii.flatMap((radius) => queriesOf(radius, 12));
    const [found, expected] = [await staged.bound(queries), await full.bound(queries)];
    let [crossed, lost, proven] = [0, 0, 0];
    for (const [i, { box, rows }] of queries.entries()) {
      for (const x of pointsOf(box, 20, i)) {
        const scores = evaluate(network, x)[network.output];
        for (const [k, { coefficients }] of rows.entries()) {
          if (scores.reduce((sum, score, c) => sum + coefficients[c] * score, 0) < found[i].rows[k]) crossed++;
        }
      }
      if (!expected[i].rows.every((bound) => bound > 1e-3)) continue;
      proven++;
      if (!found[i].rows.every((bound) => bound > 0)) lost++;
    }
    expect(crossed).toBe(0);
    expect(lost).toBe(0);
    expect(proven).toBeGreaterThan(0);
  });

  test('a ball alone has the bounds that it has among others', async () => {
    const queries = queriesOf(0.05, 5);
    const together = await staged.bound(queries);
    let worst = 0;
    for (const [i, query] of queries.entries()) {
      const [alone] = await staged.bound([query]);
      for (const k of query.rows.keys()) {
        const scale = 1 + Math.abs(alone.rows[k]);
        if (alone.rows[k] !== together[i].rows[k])
          worst = Math.max(worst, Math.abs(together[i].rows[k] - alone.rows[k]) / scale);
      }
    }
    expect(worst).toBeLessThan(1e-3);
  });
});

test.each([
  ['of few inputs', [6, 12, 10, 8, 4], false],
  ['with rows of one hidden layer', [24, 12, 10, 4], false],
  ['with rows of more', [24, 12, 10, 8, 4], true],
])('a net %s: sizes %j, two passes %s', async (_, sizes, isRough) => {
  const { network } = readNetwork(randomMlp(sizes, 1));
  const keys = new Set<string>();
  const bounder = createBounder(network, { observe: (key) => keys.add(key) });
  await bounder.bound([{ box: boxesOf(sizes[0], 0.4)[0], rows: marginRows(misclassification(0, 4)) }]);
  expect(keys.has('slopes')).toBe(isRough);
  await bounder.release();
});

test('a visitor is shown the bounds of a full pass', async () => {
  const { network } = readNetwork(randomMlp([24, 12, 10, 4], 1));
  const bounder = createBounder(network);
  const [box] = boxesOf(24, 0.4);
  const [, expected] = await bounder.preActivations(box);
  const seen: Float32Array[] = [];
  await bounder.bound([{ box, rows: marginRows(misclassification(0, 4)) }], async ({ upper }) => {
    seen.push(upper.slice());
  });
  expect([...seen[1]]).toEqual([...expected.upper]);
  await bounder.release();
});

test('a ball of which the rough form overflows gets a full pass', async () => {
  // The factor of an input with next to no radius is below what the form can take.
  const { network } = readNetwork(randomMlp([40, 12, 10, 8, 2], 3));
  const lower = new Float64Array(40).fill(0.4999);
  const upper = new Float64Array(40).fill(0.5001);
  [lower[0], upper[0]] = [0, 1e-38];
  const query = { box: { lower, upper }, rows: [0, 1].flatMap((label) => marginRows(misclassification(label, 2))) };
  const bounders = [createBounder(network), createBounder(network, { stages: false })];
  const [staged, full] = await Promise.all(
    bounders.map(async (bounder) =>
      (await bounder.bound([query, query]))[1].rows.map((bound) => Math.round(1e6 * bound)),
    ),
  );
  for (const bounder of bounders) await bounder.release();
  expect(staged).toEqual(full);
  expect(staged.some((bound) => bound > 0)).toBe(true);
});

test('a ball far from proof is let go in the middle: its rows are finite, and below what was seen', async () => {
  const { network } = readNetwork(randomMlp([60, 12, 10, 8, 4], 5));
  const calls = new Map<string, number>();
  const bounder = createBounder(network, { observe: (key) => calls.set(key, (calls.get(key) ?? 0) + 1) });
  /** Of the label that the centre gets: its margins are positive there. */
  const query = (box: Box) => {
    const scores = evaluate(
      network,
      box.lower.map((low, i) => (low + box.upper[i]) / 2),
    )[network.output];
    return { box, rows: marginRows(misclassification(scores.indexOf(Math.max(...scores)), 4)) };
  };
  const far = boxesOf(60, 0.6).map(query);
  const bounds = await bounder.bound(far);
  expect([...calls.keys()].filter((key) => /^chain (2|3|4)/.test(key))).toEqual([]);
  for (const [i, { box, rows }] of far.entries()) {
    for (const x of pointsOf(box, 40, i)) {
      const y = evaluate(network, x)[network.output];
      for (const [r, { coefficients, offset }] of rows.entries()) {
        const value = y.reduce((sum, score, c) => sum + score * coefficients[c], offset);
        expect(bounds[i].rows[r]).toBeLessThanOrEqual(value);
        expect(bounds[i].rows[r]).toBeGreaterThan(Number.NEGATIVE_INFINITY);
      }
    }
  }
  // Others go on to the end.
  await bounder.bound([...far, ...boxesOf(60, 0.001).map(query)]);
  expect([...calls.keys()].some((key) => key.startsWith('chain 3 free'))).toBe(true);
  await bounder.release();
});
