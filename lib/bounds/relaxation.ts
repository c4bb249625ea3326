import { roundUp } from '../region/outward';
import { fresh, type Lend } from './buffers';
import { gamma, unitRoundoff } from './rounding';

/**
 * Lines that enclose ReLU on [lower, upper], per ball and neuron: lowerSlope z + lowerIntercept <= relu(z) <= upperSlope z +
 * upperIntercept. Each array is [balls, size] float32. Intercepts also carry the rounding error of the affine segment
 * that computes z (docs/soundness.md), so the lines are outside the plain relaxation by a few units in the last place.
 */
export interface Relaxation {
  readonly lowerSlope: Float32Array;
  readonly upperSlope: Float32Array;
  readonly lowerIntercept: Float32Array;
  readonly upperIntercept: Float32Array;
}

/** Inflation of error terms that are themselves computed in float32; see docs/soundness.md. */
export const errorInflation = 1.02;

/**
 * The CROWN relaxation (Zhang et al. 2018, section 3.2): chord above; below, slope 1 where u > -l and 0 otherwise.
 *
 * @param lower [balls, size] lower pre-activation bounds
 * @param upper [balls, size] upper pre-activation bounds
 * @param error [balls, size] error weight e of the segment (see docs/soundness.md)
 * @param terms number of float32 additions that an intercept takes part in
 * @param lend where the lines are written; new arrays unless told
 */
export function relax(
  lower: Float32Array,
  upper: Float32Array,
  error: Float32Array,
  terms: number,
  lend: Lend = fresh,
): Relaxation {
  const count = lower.length;
  const lowerSlope = lend(count).fill(0);
  const upperSlope = lend(count).fill(0);
  const lowerIntercept = lend(count).fill(0);
  const upperIntercept = lend(count).fill(0);
  const inflate = 1 + gamma(terms) + 4 * unitRoundoff;
  for (let i = 0; i < count; i++) {
    const u = upper[i];
    if (u <= 0) continue;
    const l = lower[i];
    const e = error[i] * errorInflation;
    if (l >= 0) {
      lowerSlope[i] = 1;
      upperSlope[i] = 1;
      const shift = roundUp(e * inflate);
      lowerIntercept[i] = -shift;
      upperIntercept[i] = shift;
      continue;
    }
    const slope = Math.fround(u / (u - l));
    const intercept = Math.max(-slope * l, (1 - slope) * u);
    upperSlope[i] = slope;
    upperIntercept[i] = roundUp((intercept + slope * e) * inflate);
    if (u > -l) {
      lowerSlope[i] = 1;
      lowerIntercept[i] = -roundUp(e * inflate);
    }
  }
  return { lowerSlope, upperSlope, lowerIntercept, upperIntercept };
}
