import fc from 'fast-check';
import { readNetwork } from '../../lib/network/read';
import { blocksOf } from '../../lib/search/blocks';
import { between, rangeSums, type Sums, scatteredSums } from '../../lib/search/sparse-sums';
import { smallNets } from '../support/small-nets';

const size = 40;
/** A row with ascending indices, and its weight. */
const rows = fc.array(
  fc.tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { maxLength: 12 }).map((list) => list.sort((a, b) => a - b)),
    fc.integer({ min: -4, max: 4 }),
  ),
  { maxLength: 8 },
);
const kinds: readonly (readonly [string, (size: number) => Sums])[] = [
  ['range', rangeSums],
  ['scattered', scatteredSums],
];

describe.each(kinds)('%s sums', (_, make) => {
  test('are those of whole arrays, one after the other', () => {
    const sums = make(size);
    fc.assert(
      fc.property(rows, fc.option(fc.integer({ min: 0, max: size - 1 })), (list, single) => {
        const expected = new Float64Array(size);
        for (const [index, weight] of list) {
          // Small integers: every order sums up to the same.
          const value = Float64Array.from(index, (i) => 1 + (i % 5));
          sums.add({ index: Int32Array.from(index), value }, weight);
          for (const [k, i] of index.entries()) expected[i] += weight * value[k];
        }
        if (single !== null) {
          sums.addAt(single, 3);
          expected[single] += 3;
        }
        const { index, value } = sums.take();
        const kept = [...expected.keys()].filter((i) => expected[i] !== 0);
        expect([...index]).toEqual(kept);
        expect([...value]).toEqual(kept.map((i) => expected[i]));
      }),
      { numRuns: 500 },
    );
  });

  test('keep NaN, and are 0 again after it', () => {
    const sums = make(size);
    sums.addAt(7, Number.NaN);
    expect([...sums.take().index]).toEqual([7]);
    sums.addAt(9, 1);
    expect([...sums.take().index]).toEqual([9]);
    expect(sums.take().index).toHaveLength(0);
  });
});

test.each(smallNets)('rows of $kind nets have ascending indices, which range sums rely on', ({ make }) => {
  for (let seed = 0; seed < 20; seed++) {
    const { layers } = blocksOf(readNetwork(make(seed)).network);
    const isAscending = layers.every((layer) =>
      layer.rows.every((rows) => rows.every(({ index }) => index.every((i, k) => k === 0 || index[k - 1] < i))),
    );
    expect(isAscending).toBe(true);
  }
});

test('a part of a row begins at index 0', () => {
  const row = { index: Int32Array.of(1, 4, 5, 9), value: Float64Array.of(1, 2, 3, 4) };
  const part = between(row, 4, 9);
  expect([[...part.index], [...part.value]]).toEqual([
    [0, 1],
    [2, 3],
  ]);
  expect(between(row, 6, 9).index).toHaveLength(0);
});
