import { contains } from '../../lib/region/box';

const box = { lower: Float64Array.of(0, 0.1), upper: Float64Array.of(1, 0.1000000015) };

test.each<[string, number[], boolean]>([
  ['inside', [0.5, 0.1], true],
  ['on the edges', [0, 0.1], true],
  ['on the upper edge', [1, 0.1], true],
  ['one float32 step above', [1 + 2 ** -23, 0.1], false],
  ['the smallest number below', [-(2 ** -149), 0.1], false],
  ['negative zero is zero', [-0, 0.1], true],
  ['NaN', [Number.NaN, 0.1], false],
  ['infinite', [Infinity, 0.1], false],
  ['too short', [0.5], false],
  ['too long', [0.5, 0.1, 0.5], false],
])('%s', (_, point, inside) => {
  // fround(0.1) = 0.10000000149..., just above 0.1 and just below the upper bound.
  expect(contains(box, Float32Array.from(point))).toBe(inside);
});

test('the comparison is exact: float32 0.1 is above 0.1', () => {
  const point = Float32Array.of(0.1);
  expect(contains({ lower: Float64Array.of(0), upper: Float64Array.of(0.1) }, point)).toBe(false);
  expect(contains({ lower: Float64Array.of(0), upper: Float64Array.of(Math.fround(0.1)) }, point)).toBe(true);
});

test('an infinite bound admits an infinite coordinate, NaN bounds admit nothing', () => {
  const point = Float32Array.of(Infinity);
  expect(contains({ lower: Float64Array.of(0), upper: Float64Array.of(Infinity) }, point)).toBe(true);
  expect(contains({ lower: Float64Array.of(0), upper: Float64Array.of(Number.NaN) }, Float32Array.of(1))).toBe(false);
});
