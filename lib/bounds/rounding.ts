import { roundDown, roundUp } from '../region/outward';

/**
 * Rounding-error constants of float32 arithmetic (docs/soundness.md derives how they are used).
 *
 * The standard model is assumed: fl(a op b) = (a op b)(1 + d) + t with |d| <= u and, where the result underflows,
 * |t| <= 2^-126 (denormals may be flushed). A sum of n products in any order, with or without fused multiply-add,
 * then differs from the exact one by at most gamma_n times the sum of the absolute values, plus n underflow terms
 * (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
 */

/** Unit roundoff of float32. */
export const unitRoundoff = 2 ** -24;

/** Largest error of a float32 operation whose result underflows, denormals flushed to zero. */
export const underflowUnit = 2 ** -126;

/**
 * Part of every error weight that does not shrink with the values: underflow of values (not of coefficients), whose few 2^-126
 * later weights may make large again.
 */
export const tinyError = 2 ** -110;

/**
 * The absolute value of a weight for magnitudes. A weight that float32 rounds to a denormal number is off by up to 2^-150, many
 * roundoffs of itself; counted as 2^-126 its share of the error is more than that.
 */
export function float32Magnitude(weight: number): number {
  return weight === 0 ? 0 : Math.max(Math.abs(weight), underflowUnit);
}

/** gamma_n = n u / (1 - n u); throws where n is so large that the model says nothing. */
export function gamma(n: number): number {
  const nu = n * unitRoundoff;
  if (nu >= 0.5) throw new RangeError(`rounding errors of a sum of ${n} float32 terms cannot be bounded`);
  return nu / (1 - nu);
}

/**
 * A float32 number that is at least the value, and at most two units in the last place above it: roundUp for hot loops where a unit does not matter,
 * without branches that are taken every other time. 0 for 0, NaN for NaN and infinities. Of values in the range of float32.
 */
export function above(value: number): number {
  const size = Math.abs(value);
  return size < tiniest ? roundUp(value) : Math.fround(value + size * 2 ** -23);
}

/** As above, downward. */
export function below(value: number): number {
  const size = Math.abs(value);
  return size < tiniest ? roundDown(value) : Math.fround(value - size * 2 ** -23);
}

/** Far above where float32 has fewer digits. */
const tiniest = 2 ** -100;
