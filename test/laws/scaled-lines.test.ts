import fc from 'fast-check';
import { leastSlope, type ScaledLines, setLine } from '../../lib/bounds/dense/lines';
import { gamma } from '../../lib/bounds/rounding';

const float = (most: number) => fc.float({ min: Math.fround(-most), max: Math.fround(most), noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });

function lineOf(l: number, u: number, error: number, base: number, g: number): ScaledLines {
  const one = (): Float32Array => new Float32Array(1);
  const lines = { scale: one(), ratio: one(), shift: one(), bend: one() };
  const bounds = { lower: Float32Array.of(l), upper: Float32Array.of(u), error: Float32Array.of(error) };
  setLine(lines, 0, bounds, 0, Float32Array.of(base), 0, g);
  return lines;
}

/**
 * By how much the line for a coefficient, q times the upper slope, is above what it bounds at z, errors of the segment and of the sums of constants
 * included: q and what follows from it as the program computes them in float32, all else in float64.
 */
function excess(lines: ScaledLines, q: number, z: number, error: number, base: number, g: number): number {
  const [scale, ratio, shift, bend] = [lines.scale[0], lines.ratio[0], lines.shift[0], lines.bend[0]];
  const positive = Math.max(q, 0);
  const onZ = Math.fround(q + Math.fround(positive * ratio));
  const constants = onZ * shift + positive * bend;
  const sums = g * (Math.abs(onZ * shift) + Math.abs(positive * bend));
  const line = onZ * (z - base) + constants + sums + Math.abs(onZ) * error;
  const relu = (q / scale) * Math.max(z, 0);
  return (line - relu) / (Math.abs(q / scale) * (1 + Math.abs(z) + Math.abs(base) + error) + 1e-300);
}

const cases = fc.record({
  a: float(1e4),
  b: float(1e4),
  q: float(1e3),
  t: share,
  base: float(1e3),
  error: fc.float({ min: 0, max: 1, noNaN: true }),
  terms: fc.integer({ min: 1, max: 5000 }),
});
/** What float64 may have rounded in this test. */
const slack = 2 ** -48;

const law = (change: (lines: ScaledLines) => ScaledLines) =>
  fc.property(cases, ({ a, b, q, t, base, error, terms }) => {
    const [l, u] = [Math.min(a, b), Math.max(a, b)];
    fc.pre(u > 0 && q !== 0 && Math.abs(q) > 1e-20);
    const lines = change(lineOf(l, u, error, base, gamma(terms)));
    return [l, u, Math.min(Math.max(0, l), u), Math.min(Math.max(l + t * (u - l), l), u)].every(
      (z) => excess(lines, q, z, error, base, gamma(terms)) <= slack,
    );
  });

test('scaled lines bound ReLU from below for coefficients of either sign, with room for all errors', () => {
  fc.assert(
    law((lines) => lines),
    { numRuns: 3000 },
  );
});

const off = (value: number): number => Math.fround(value + 2e-2 * Math.abs(value) + 1e-2);
test.each<[string, (lines: ScaledLines) => ScaledLines]>([
  ['a constant too low for negative coefficients', (lines) => ({ ...lines, shift: lines.shift.map((s) => -off(-s)) })],
  ['a constant too high for positive ones', (lines) => ({ ...lines, bend: lines.bend.map(off) })],
  ['a slope above 1', (lines) => ({ ...lines, ratio: lines.ratio.map(off) })],
])('the law tells %s', (_, bug) => {
  expect(fc.check(law(bug), { numRuns: 3000 }).failed).toBe(true);
});

test('they are the chord and the lower line of CROWN, but for roundings', () => {
  fc.assert(
    fc.property(float(1e3), float(1e3), (a, b) => {
      const [l, u] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(l < -1e-3 && u > 1e-3);
      const { scale, ratio, shift, bend } = lineOf(l, u, 0, 0, 0);
      expect(scale[0]).toBeCloseTo(u / (u - l), 5);
      expect(Math.abs(shift[0] + l)).toBeLessThan(1e-5 * (u - l));
      expect(scale[0] * (1 + ratio[0])).toBeCloseTo(u > -l ? 1 : 0, 5);
      const below = scale[0] * ((1 + ratio[0]) * shift[0] + bend[0]);
      expect(Math.abs(below)).toBeLessThan(1e-5 * (u - l));
    }),
  );
});

test('a slope is never so small that coefficients lose digits, and bounds that are not numbers prove nothing', () => {
  expect(lineOf(-1, 2 ** -140, 0, 0, 0).scale[0]).toBe(leastSlope);
  const infinite = [lineOf(Number.NaN, Number.NaN, 0, 0, 0), lineOf(-1, Number.POSITIVE_INFINITY, 0, 0, 0)];
  expect(infinite.every(({ shift }) => Number.isNaN(shift[0]))).toBe(true);
  expect(Number.isFinite(lineOf(Number.NEGATIVE_INFINITY, 1, 0, 0, 0).shift[0])).toBe(false);
});
