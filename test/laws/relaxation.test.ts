import fc from 'fast-check';
import { relax } from '../../lib/bounds/relaxation';

const float = fc.float({ min: Math.fround(-1e6), max: Math.fround(1e6), noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });

/** The lines of one neuron with the given bounds and error weight. */
function lines(a: number, b: number, error: number) {
  const [l, u] = a <= b ? [a, b] : [b, a];
  const { lowerSlope, upperSlope, lowerIntercept, upperIntercept } = relax(
    Float32Array.of(l),
    Float32Array.of(u),
    Float32Array.of(error),
    100,
  );
  return {
    l,
    u,
    lowerSlope: lowerSlope[0],
    upperSlope: upperSlope[0],
    lowerIntercept: lowerIntercept[0],
    upperIntercept: upperIntercept[0],
  };
}

describe('relaxation of ReLU', () => {
  test('the lines enclose ReLU between the bounds', () => {
    fc.assert(
      fc.property(float, float, share, (a, b, t) => {
        const { l, u, lowerSlope, upperSlope, lowerIntercept, upperIntercept } = lines(a, b, 0);
        // Rounding must not carry the point past its bounds.
        const z = Math.min(Math.max(l + t * (u - l), l), u);
        const relu = Math.max(0, z);
        // All terms are products of float32 numbers: exact in float64 up to one rounding of the sum.
        const slack = 2 ** -50 * (Math.abs(z) + Math.abs(upperIntercept));
        expect(lowerSlope * z + lowerIntercept).toBeLessThanOrEqual(relu + slack);
        expect(upperSlope * z + upperIntercept).toBeGreaterThanOrEqual(relu - slack);
      }),
      { numRuns: 2000 },
    );
  });

  test('the upper line is the chord up to rounding', () => {
    fc.assert(
      fc.property(float, float, (a, b) => {
        const { l, u, upperSlope, upperIntercept } = lines(a, b, 0);
        fc.pre(l < 0 && u > 0);
        // Subnormal bounds are rounded by more than their size.
        const scale = Math.max(-l, u) + 1e-38;
        expect(upperSlope * l + upperIntercept).toBeLessThanOrEqual(scale * 1e-4);
        expect(upperSlope * u + upperIntercept).toBeLessThanOrEqual(u + scale * 1e-4);
      }),
      { numRuns: 1000 },
    );
  });

  test('an error weight moves both lines outward by at least its size times their slope', () => {
    fc.assert(
      fc.property(float, float, fc.float({ min: 0, max: 1, noNaN: true }), (a, b, error) => {
        const { l, u, lowerSlope, upperSlope, lowerIntercept, upperIntercept } = lines(a, b, error);
        const chord = l < 0 && u > 0 ? Math.max(-upperSlope * l, (1 - upperSlope) * u) : 0;
        expect(-lowerIntercept).toBeGreaterThanOrEqual(lowerSlope * error);
        expect(upperIntercept).toBeGreaterThanOrEqual(chord + upperSlope * error);
      }),
    );
  });

  test('a neuron that is never active is exactly zero, and unbounded ones prove nothing', () => {
    expect(lines(-2, -1, 0.5)).toMatchObject({ lowerSlope: 0, upperSlope: 0, lowerIntercept: 0, upperIntercept: 0 });
    const open = relax(
      Float32Array.of(Number.NEGATIVE_INFINITY, Number.NaN),
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN),
      Float32Array.of(0, 0),
      10,
    );
    expect([...open.upperSlope].every(Number.isNaN)).toBe(true);
  });
});
