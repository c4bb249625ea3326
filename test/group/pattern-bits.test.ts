import { createBounder } from '../../lib/bounds/bounder';
import { chosenBits, fingerprintsAt, fingerprintsOf, mostBits, sampledPoints } from '../../lib/group/patterns';
import { readNetwork } from '../../lib/network/read';
import { randomMlp, uniform } from '../support/models';

const { network } = readNetwork(randomMlp([4, 8, 8, 3], 182), 'small');
const bounder = createBounder(network);
const count = 70;
const draw = uniform(3);
const points = Array.from({ length: count }, () => draw(4, 1));
const point = (i: number): Float32Array => points[i];
afterAll(() => bounder.release());

const bitOf = (words: Uint32Array, width: number, row: number, bit: number): boolean =>
  ((words[row * width + (bit >>> 5)] >>> (bit & 31)) & 1) === 1;

describe('the bits of activation patterns', () => {
  test('tell which ReLUs are active at the centre, and which are active or half a standard deviation from it', async () => {
    const chosen = await chosenBits(bounder.programs, sampledPoints(count), point);
    expect([...chosen.ids]).toEqual(Array.from({ length: 32 }, (_, id) => id));
    const prints = await fingerprintsOf(bounder.programs, { length: count }, point, chosen);
    const values: number[][] = [];
    for (const at of points) {
      // A ball of radius zero: its bounds are the pre-activation, but for rounding.
      const layers = await bounder.preActivations({ lower: Float64Array.from(at), upper: Float64Array.from(at) });
      values.push(layers.flatMap(({ lower, upper }) => [...lower].map((low, j) => (low + upper[j]) / 2)));
    }
    let wrong = 0;
    for (let relu = 0; relu < 16; relu++) {
      const own = values.map((row) => row[relu]);
      const mean = own.reduce((sum, value) => sum + value, 0) / count;
      const half = 0.5 * Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
      for (const [row, value] of own.entries()) {
        if (Math.abs(value) > 1e-5 && bitOf(prints.words, 1, row, 2 * relu) !== value > 0) wrong++;
        if (Math.abs(value + half) > 1e-5 && bitOf(prints.words, 1, row, 2 * relu + 1) !== value + half > 0) wrong++;
      }
    }
    expect(wrong).toBe(0);
    expect(await fingerprintsAt(bounder.programs, count, point)).toEqual(prints);
  });

  test('of a part of the points are those of all', async () => {
    const chosen = await chosenBits(bounder.programs, sampledPoints(count), point);
    const all = await fingerprintsOf(bounder.programs, { length: count }, point, chosen);
    const part = await fingerprintsOf(bounder.programs, { first: 60, length: 10 }, point, chosen);
    expect(part.words).toEqual(all.words.slice(60));
  });

  test('are at most so many, those that vary most', async () => {
    const wide = readNetwork(randomMlp([4, 600, 3], 5), 'wide').network;
    const other = createBounder(wide);
    try {
      const { ids, added } = await chosenBits(other.programs, sampledPoints(count), point);
      expect([ids.length, added.length]).toEqual([mostBits, mostBits]);
      expect(ids.some((id) => id % 2 === 0) && ids.some((id) => id % 2 === 1)).toBe(true);
      expect(ids.filter((id, k) => added[k] > 0 !== (id % 2 === 1))).toHaveLength(0);
    } finally {
      await other.release();
    }
  });
});
