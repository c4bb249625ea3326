import { type Bounder, createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { evaluate } from '../../lib/network/evaluate';
import type { Network } from '../../lib/network/network';
import { readNetwork } from '../../lib/network/read';
import type { Box } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import { pointsOf, randomBox } from '../support/balls';
import { randomConvNet, randomMlp, randomResidualNet } from '../support/models';
import { operatorNet } from '../support/operator-net';

const nets: [string, Uint8Array][] = [
  ['a small fully connected net', randomMlp([6, 12, 10, 4], 1)],
  ['a deep narrow net', randomMlp([4, 6, 6, 6, 6, 6, 3], 2)],
  ['a wide net', randomMlp([20, 200, 5], 3)],
  ['a convolutional net', randomConvNet(4)],
  ['a residual net', randomResidualNet(5)],
  ['a net of max pooling, leaky ReLU, clip and concatenation', operatorNet(6)],
];

/** Value of a row at a point, in float64 by the reference evaluation. */
const valueAt = (network: Network, x: Float32Array, coefficients: ArrayLike<number>): number => {
  const scores = evaluate(network, x)[network.output];
  return scores.reduce((sum, score, k) => sum + coefficients[k] * score, 0);
};

describe.each(nets)('bounds of %s', (_, bytes) => {
  const { network } = readNetwork(bytes);
  let bounder: Bounder;
  beforeAll(() => {
    bounder = createBounder(network);
  });
  afterAll(() => bounder.release());

  const boxes = (radius: number, count = 6): Box[] =>
    Array.from({ length: count }, (_, i) => randomBox(network.inputSize, radius, 100 * count + i));
  const rows = marginRows(misclassification(1, network.classes));

  test.each([0, 0.01, 0.1, 1])('no point of a box of radius %d crosses a bound', async (radius) => {
    const all = boxes(radius);
    const bounds = await bounder.bound(all.map((box) => ({ box, rows })));
    for (const [i, box] of all.entries()) {
      for (const x of pointsOf(box, 60, i)) {
        for (const [k, { coefficients }] of rows.entries()) {
          expect(valueAt(network, x, coefficients)).toBeGreaterThanOrEqual(bounds[i].rows[k]);
        }
      }
    }
  });

  test('on a single point the bound is the value, but for the error band', async () => {
    const [box] = boxes(0, 1);
    const [{ rows: found }] = await bounder.bound([{ box, rows }]);
    const [x] = pointsOf(box, 1, 1);
    for (const [k, { coefficients }] of rows.entries()) {
      const value = valueAt(network, x, coefficients);
      expect(found[k]).toBeLessThanOrEqual(value);
      expect(found[k]).toBeGreaterThan(value - 0.01 * (1 + Math.abs(value)));
    }
  });

  test('a ball has the same bounds alone and among others, up to rounding', async () => {
    const all = boxes(0.1);
    const together = await bounder.bound(all.map((box) => ({ box, rows })));
    for (const [i, box] of all.entries()) {
      const [alone] = await bounder.bound([{ box, rows }]);
      for (const k of rows.keys()) expect(together[i].rows[k]).toBeCloseTo(alone.rows[k], 4);
    }
  });

  test('a larger ball never has a better bound, up to rounding', async () => {
    // Which of two passes decides a ball depends on the ball.
    const full = createBounder(network, { stages: false });
    const [small, large] = await Promise.all(
      [0.05, 0.1].map((radius) => full.bound([{ box: randomBox(network.inputSize, radius, 7), rows }])),
    );
    await full.release();
    for (const k of rows.keys()) expect(large[0].rows[k]).toBeLessThanOrEqual(small[0].rows[k] + 1e-4);
  });

  test('memory cap and tile size change nothing but the number of calls', async () => {
    const tight = createBounder(network, { memoryBytes: 1, tileBytes: 1 });
    expect(tight.programs.ballsPerCall).toBe(1);
    const queries = boxes(0.1).map((box) => ({ box, rows }));
    const usual = await bounder.bound(queries);
    const found = await tight.bound(queries);
    for (const i of queries.keys()) {
      for (const k of rows.keys()) expect(found[i].rows[k]).toBeCloseTo(usual[i].rows[k], 4);
    }
    await tight.release();
  });
});

test('overflow proves nothing', async () => {
  const { network } = readNetwork(randomMlp([4, 8, 8, 3], 9));
  const huge: Box = { lower: new Float64Array(4).fill(-3e38), upper: new Float64Array(4).fill(3e38) };
  const bounder = createBounder(network);
  const [{ rows }] = await bounder.bound([{ box: huge, rows: marginRows(misclassification(0, 3)) }]);
  expect([...rows]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  await bounder.release();
});
