import fc from 'fast-check';
import { type Arena, createArena } from '../../lib/bounds/arena';
import { gathererIn, gatherPlainly } from '../../lib/bounds/dense/gather';

/** A subset of 0 ... size - 1, ascending. */
const subsetOf = (size: number) =>
  fc.subarray(
    Array.from({ length: size }, (_, i) => i),
    { minLength: 0 },
  );

/** Weights of any size, two balls with their neurons and those of the layer below, and numbers without end. */
const cases = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 3 }))
  .chain(([inner, size, padding]) =>
    fc.tuple(
      fc.constant({ inner, size, padding }),
      fc.tuple(subsetOf(inner), subsetOf(inner)),
      fc.tuple(subsetOf(size), subsetOf(size)),
      fc.infiniteStream(fc.float({ min: -2, max: 2, noNaN: true })),
    ),
  );

/** Arrays as the arena's, or as the heap's where `outside` says so. */
function placer(arena: Arena, outside: (place: number) => boolean) {
  let place = 0;
  return (values: Float32Array): Float32Array => {
    const own = outside(place++) ? new Float32Array(values.length) : arena.take(values.length)!;
    own.set(values);
    return own;
  };
}

/** Gathers plainly or by the arena, and compares with what it should be; nothing around it may be touched. */
function check(by: 'plain' | 'arena', outside: (place: number) => boolean): void {
  fc.assert(
    fc.property(cases, ([{ inner, size, padding }, columnsOf, rowsOf, numbers]) => {
      const arena = createArena(2 ** 18)!;
      const placed = placer(arena, outside);
      const floats = (count: number) => placed(Float32Array.from({ length: count }, () => numbers.next().value));
      const lists = (own: readonly (readonly number[])[], of: number) => {
        const list = Int32Array.from(own.flatMap((each) => [...each, ...Array(of - each.length).fill(2 ** 29)]));
        const { buffer, byteOffset } = placed(new Float32Array(list.buffer));
        return {
          size: of,
          list: new Int32Array(buffer, byteOffset, list.length),
          count: Int32Array.from(own, (each) => each.length),
        };
      };
      const layer = { size, weight: floats(size * inner), bias: floats(size) };
      const columns = Math.max(columnsOf[0].length, columnsOf[1].length) + padding + 1;
      const below = { alive: lists(columnsOf, inner), columns, scale: floats(2 * columns) };
      // The second ball's rows come first.
      const starts = Int32Array.of(5 + rowsOf[1].length * columns + 3, 5);
      const to = placed(new Float32Array(starts[0] + rowsOf[0].length * columns + 7).fill(Number.NaN));
      const gather = by === 'plain' ? gatherPlainly : gathererIn(arena);
      gather(layer, lists(rowsOf, size), below, to, starts);
      const rows = (b: number) =>
        rowsOf[b].flatMap((j) => [
          ...columnsOf[b].map((i, n) => Math.fround(layer.weight[j * inner + i] * below.scale[b * columns + n])),
          ...Array(columns - 1 - columnsOf[b].length).fill(0),
          layer.bias[j],
        ]);
      const untouched = (count: number): number[] => Array(count).fill(Number.NaN);
      expect([...to]).toEqual([...untouched(5), ...rows(1), ...untouched(3), ...rows(0), ...untouched(7)]);
    }),
    { numRuns: 200 },
  );
}

test('weights are gathered for any number of rows and columns, scaled, padded and with the bias last', () => {
  check('plain', () => false);
});

test('so are they in WebAssembly', () => {
  check('arena', () => false);
});

test.each([0, 1, 2, 3, 4, 5])('and with array %i of six outside of the arena', (place) => {
  check('arena', (one) => one === place);
});

test('numbers are rounded as float32 products are, also where they overflow or lose digits', () => {
  const arena = createArena(2 ** 18)!;
  const placed = placer(arena, () => false);
  const weights = [3e38, -3e38, 2 ** -149, 2 ** -140, 1 + 2 ** -23, 0, -0, Number.NaN, Number.POSITIVE_INFINITY];
  const factors = [2, 2, 0.5, 0.75, 1 - 2 ** -24, -1, 1, 1, 0];
  const every = (count: number) => {
    const { buffer, byteOffset } = placed(new Float32Array(count));
    const list = new Int32Array(buffer, byteOffset, count);
    for (let i = 0; i < count; i++) list[i] = i;
    return { size: count, list, count: Int32Array.of(count) };
  };
  const columns = weights.length + 1;
  const layer = { size: 1, weight: placed(Float32Array.from(weights)), bias: placed(Float32Array.of(7)) };
  const below = { alive: every(weights.length), columns, scale: placed(Float32Array.from([...factors, 1])) };
  const results = [gatherPlainly, gathererIn(arena)].map((gather) => {
    const to = placed(new Float32Array(columns));
    gather(layer, every(1), below, to, Int32Array.of(0));
    return [...to];
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[0]).toEqual([...weights.map((w, i) => Math.fround(Math.fround(w) * Math.fround(factors[i]))), 7]);
});
