import fc from 'fast-check';
import { contains } from '../../lib/region/box';
import { inward, outward, roundDown, roundUp } from '../../lib/region/outward';

const smallest = 2 ** -149;
const largest = Math.fround(3.4028234663852886e38);

/** Doubles of every kind: any bit pattern, values near a float32, subnormal in either width, zeros of both signs. */
const double = fc.oneof(
  fc.double({ noNaN: true }),
  fc.float({ noNaN: true }),
  fc.double({ noNaN: true, min: -(2 ** -125), max: 2 ** -125 }),
  fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-1, 0, 1)).map(([x, step]) => {
    return x + step * Math.abs(x) * 2 ** -50;
  }),
  fc.constantFrom(0, -0, largest, -largest, largest * 1.5, -largest * 1.5, 1e300, smallest / 2, -smallest / 2),
);

const box = fc.array(fc.tuple(double, double), { minLength: 1, maxLength: 6 }).map((pairs) => ({
  lower: Float64Array.from(pairs, ([a, b]) => Math.min(a, b)),
  upper: Float64Array.from(pairs, ([a, b]) => Math.max(a, b)),
}));

/** Neighbour of a float32 by its bit pattern, to state tightness independently of the implementation. */
function neighbour(value: number, up: boolean): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const pattern = view.getInt32(0);
  const rank = pattern < 0 ? -(pattern & 0x7fffffff) : pattern;
  const next = rank + (up ? 1 : -1);
  view.setInt32(0, next < 0 ? -next | 0x80000000 : next);
  return view.getFloat32(0);
}

test('rounding is to the adjacent float32, on the stated side', () => {
  fc.assert(
    fc.property(double, (value) => {
      const down = roundDown(value);
      const up = roundUp(value);
      return (
        Math.fround(down) === down &&
        Math.fround(up) === up &&
        down <= value &&
        value <= up &&
        (down === Infinity || neighbour(down, true) > value) &&
        (up === -Infinity || neighbour(up, false) < value)
      );
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [0.1, 0.09999999403953552, 0.10000000149011612],
  [-0.1, -0.10000000149011612, -0.09999999403953552],
  [1, 1, 1],
  [1e300, largest, Infinity],
  [-1e300, -Infinity, -largest],
  [1e-60, 0, smallest],
  [-1e-60, -smallest, -0],
])('%p lies between %p and %p', (value, down, up) => {
  expect(roundDown(value)).toBe(down);
  expect(roundUp(value)).toBe(up);
});

test('outward contains the box; inward is contained, and holds every float32 point of the box', () => {
  fc.assert(
    fc.property(
      box,
      fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 6, maxLength: 6 }),
      (b, at) => {
        const outer = outward(b);
        const inner = inward(b);
        for (let i = 0; i < b.lower.length; i++) {
          expect(outer.lower[i] <= b.lower[i] && outer.upper[i] >= b.upper[i]).toBe(true);
        }
        const point = Float32Array.from(b.lower, (lower, i) => {
          return Math.min(
            Math.max(at[i], Math.max(roundUp(lower), -largest)),
            Math.min(roundDown(b.upper[i]), largest),
          );
        });
        if (inner.empty) {
          expect(contains(b, point)).toBe(false);
          for (const i of inner.coordinates) {
            // The float32 next above the lower bound is beyond the upper one, or every float32 in between is infinite.
            const next = roundUp(b.lower[i]);
            expect(next > b.upper[i] || next === Infinity || roundDown(b.upper[i]) === -Infinity).toBe(true);
          }
        } else {
          expect(contains(b, inner.lower)).toBe(true);
          expect(contains(b, inner.upper)).toBe(true);
          expect(contains(b, point)).toBe(true);
          expect(point.every((x, i) => x >= inner.lower[i] && x <= inner.upper[i])).toBe(true);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('coordinates without a float32 are listed', () => {
  const lower = Float64Array.of(0, 0.1, 1e300, -smallest / 2);
  const upper = Float64Array.of(0, 0.1000000001, 1e301, -smallest / 4);
  expect(inward({ lower, upper })).toEqual({ empty: true, coordinates: [1, 2, 3] });
});

test('infinities are no points of a witness', () => {
  const unbounded = { lower: Float64Array.of(-Infinity), upper: Float64Array.of(Infinity) };
  expect(inward(unbounded)).toEqual({
    empty: false,
    lower: Float32Array.of(-largest),
    upper: Float32Array.of(largest),
  });
  expect(inward({ lower: Float64Array.of(5e38), upper: Float64Array.of(Infinity) })).toEqual({
    empty: true,
    coordinates: [0],
  });
  expect(inward({ lower: Float64Array.of(-Infinity), upper: Float64Array.of(-5e38) })).toEqual({
    empty: true,
    coordinates: [0],
  });
});

test('a NaN bound is refused', () => {
  const nan = { lower: Float64Array.of(0), upper: Float64Array.of(Number.NaN) };
  expect(() => outward(nan)).toThrow(RangeError);
  expect(() => inward(nan)).toThrow(RangeError);
});
