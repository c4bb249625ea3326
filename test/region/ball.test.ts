import fc from 'fast-check';
import { ball, centre } from '../../lib/region/ball';
import { outward } from '../../lib/region/outward';

const plain = { mean: [0], std: [1], clip: [0, 1] as const };

test('the ball is cut with the valid range', () => {
  const { lower, upper } = ball(Float64Array.of(0, 0.5, 1), 0.25, plain, [3]);
  expect([...lower]).toEqual([0, 0.25, 0.75]);
  expect([...upper]).toEqual([0.25, 0.75, 1]);
});

test('mean and std follow the channels of the model, first or last', () => {
  const normalisation = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2], clip: [0, 1] as const };
  const half = new Float64Array(6).fill(0.5);
  expect([...centre(half, normalisation, [3, 1, 2])]).toEqual([0, 0, 1, 1, 0.25, 0.25]);
  expect([...centre(half, normalisation, [2, 1, 3])]).toEqual([0, 1, 0.25, 0, 1, 0.25]);
  const { lower, upper } = ball(half, 0.25, normalisation, [2, 1, 3]);
  expect([...lower]).toEqual([-0.5, 0, 0.125, -0.5, 0, 0.125]);
  expect([...upper]).toEqual([0.5, 2, 0.375, 0.5, 2, 0.375]);
});

test('one mean and std serve all channels', () => {
  expect([...centre(new Float64Array(6).fill(1), { mean: [0.5], std: [0.25] }, [3, 1, 2])]).toEqual([2, 2, 2, 2, 2, 2]);
});

test('the centre is the nearest float32', () => {
  expect([...centre(Float64Array.of(0.1), plain, [1])]).toEqual([Math.fround(0.1)]);
});

test('a part of an input is refused', () => {
  expect(() => ball(new Float64Array(3), 0.1, plain, [2, 2])).toThrow(RangeError);
  expect(() => centre(new Float64Array(5), plain, [2, 2])).toThrow(RangeError);
});

test('laws: balls are nested by radius, contain their float64 centre, and outward contains the float32 centre', () => {
  const positive = (max: number) => fc.double({ min: 2 ** -30, max, noNaN: true });
  const cases = fc.record({
    pixels: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    small: positive(1),
    large: positive(1),
    mean: fc.double({ min: -1, max: 1, noNaN: true }),
    std: positive(4),
  });
  fc.assert(
    fc.property(cases, ({ pixels, small, large, mean, std }) => {
      const preprocessing = { mean: [mean], std: [std], clip: [0, 1] as const };
      const at = Float64Array.from(pixels);
      const inner = ball(at, Math.min(small, large), preprocessing, [3]);
      const outer = ball(at, Math.max(small, large), preprocessing, [3]);
      const rounded = outward(inner);
      const point = centre(at, preprocessing, [3]);
      for (let i = 0; i < 3; i++) {
        const exact = (at[i] - mean) / std;
        expect(outer.lower[i] <= inner.lower[i] && inner.lower[i] <= exact).toBe(true);
        expect(exact <= inner.upper[i] && inner.upper[i] <= outer.upper[i]).toBe(true);
        expect(rounded.lower[i] <= point[i] && point[i] <= rounded.upper[i]).toBe(true);
        expect(outer.lower[i]).toBeGreaterThanOrEqual((0 - mean) / std);
        expect(outer.upper[i]).toBeLessThanOrEqual((1 - mean) / std);
      }
    }),
  );
});
