import { createBounder } from '../../lib/bounds/bounder';
import { readNetwork } from '../../lib/network/read';
import { randomBox } from '../support/balls';
import { randomConvNet, randomMlp } from '../support/models';

const nets: [string, Uint8Array][] = [
  ['dense', randomMlp([6, 12, 10, 8, 3], 4)],
  ['convolutional', randomConvNet(5)],
];

describe.each(nets)('boxes without bounds, %s net', (_, bytes) => {
  const { network } = readNetwork(bytes);
  const { classes, inputSize } = network;
  const rows = [{ coefficients: Float64Array.from({ length: classes }, (_, c) => 1 - c), offset: 50 }];
  const bounder = createBounder(network);
  afterAll(() => bounder.release());
  const boxWith = (low: number, high: number) => {
    const box = randomBox(inputSize, 0.1, 1);
    box.lower[1] = low;
    box.upper[1] = high;
    return { box, rows };
  };

  test.each([
    ['to one side', 0, Number.POSITIVE_INFINITY],
    ['to both sides', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['beyond what float32 can hold', -1e39, 1e39],
    ['close to it', -3e38, 3e38],
  ])('nothing is proven of a box that goes on %s, and others of the call are as alone', async (_, low, high) => {
    const other = { box: randomBox(inputSize, 0.1, 2), rows };
    const [alone] = await bounder.bound([other]);
    expect(alone.rows[0]).toBeGreaterThan(0);
    const [open, beside] = await bounder.bound([boxWith(low, high), other]);
    expect(open.rows[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(Math.abs(beside.rows[0] - alone.rows[0])).toBeLessThan(1e-3);
  });

  test('a bound that is NaN is refused', async () => {
    await expect(bounder.bound([boxWith(Number.NaN, 1)])).rejects.toThrow('bound 1 of the box is NaN');
    await expect(bounder.bound([boxWith(0, Number.NaN)])).rejects.toThrow('bound 1 of the box is NaN');
  });
});
