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

/** gamma_n = n u / (1 - n u); throws where n is so large that the model says nothing. */
export function gamma(n: number): number {
  const nu = n * unitRoundoff;
  if (nu >= 0.5) throw new RangeError(`rounding errors of a sum of ${n} float32 terms cannot be bounded`);
  return nu / (1 - nu);
}
