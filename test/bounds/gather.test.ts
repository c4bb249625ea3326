import fc from 'fast-check';
import { gatherRows } from '../../lib/bounds/dense/gather';

/** A subset of 0 ... size - 1, ascending. */
const subsetOf = (size: number) =>
  fc.subarray(
    Array.from({ length: size }, (_, i) => i),
    { minLength: 0 },
  );

test('weights are gathered for any number of rows and columns, scaled, padded and with the bias last', () => {
  fc.assert(
    fc.property(
      fc
        .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 3 }))
        .chain(([inner, size, padding]) =>
          fc.tuple(
            fc.constant({ inner, size, padding }),
            fc.tuple(subsetOf(inner), subsetOf(inner)),
            fc.tuple(subsetOf(size), subsetOf(size)),
            fc.infiniteStream(fc.float({ min: -2, max: 2, noNaN: true })),
          ),
        ),
      ([{ inner, size, padding }, columnsOf, rowsOf, numbers]) => {
        const floats = (count: number) => Float32Array.from({ length: count }, () => numbers.next().value);
        const layer = { node: 1, relu: 2, size, weight: floats(size * inner), bias: floats(size) };
        const lists = (own: readonly (readonly number[])[], of: number) => ({
          size: of,
          list: Int32Array.from(own.flatMap((list) => [...list, ...Array(of - list.length).fill(-1)])),
          count: Int32Array.from(own, (list) => list.length),
        });
        const columns = Math.max(columnsOf[0].length, columnsOf[1].length) + padding + 1;
        const below = { alive: lists(columnsOf, inner), columns, scale: floats(2 * columns) };
        const start = 5;
        for (const b of [0, 1]) {
          const neurons = rowsOf[b];
          const to = new Float32Array(start + neurons.length * columns + 7).fill(Number.NaN);
          gatherRows(layer, lists(rowsOf, size), b, below, to, start);
          const expected = neurons.flatMap((j) => [
            ...columnsOf[b].map((i, n) => Math.fround(layer.weight[j * inner + i] * below.scale[b * columns + n])),
            ...Array(columns - 1 - columnsOf[b].length).fill(0),
            layer.bias[j],
          ]);
          const untouched = (count: number): number[] => Array(count).fill(Number.NaN);
          expect([...to]).toEqual([...untouched(start), ...expected, ...untouched(7)]);
        }
      },
    ),
    { numRuns: 200 },
  );
});
