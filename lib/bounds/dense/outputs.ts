import type { HalfSpace } from '../../region/violation';
import type { Lend } from '../buffers';
import type { NodeBounds } from '../forward-pass';
import { errorInflation } from '../relaxation';

/** Coefficients of the rows of each ball, [lists.length, perBall, size]; 0 for padding. */
export function coefficientsOf(
  lists: readonly (readonly HalfSpace[])[],
  perBall: number,
  size: number,
  lend: Lend,
): Float32Array {
  const coefficients = lend(lists.length * perBall * size).fill(0);
  for (let b = 0; b < lists.length; b++) {
    const list = lists[b];
    for (let r = 0, at = b * perBall * size; r < list.length; r++, at += size) {
      const own = list[r].coefficients;
      for (let c = 0; c < size; c++) coefficients[at + c] = own[c];
    }
  }
  return coefficients;
}

/**
 * Writes the bounds of one ball's rows of the outputs, all errors subtracted; -Infinity where that is not finite.
 *
 * @param found as computed, from `first`. @param error of neurons, from `start`. @param bias [size]
 */
export function keepOutputs(
  result: Float64Array,
  rows: readonly HalfSpace[],
  found: Float32Array,
  first: number,
  error: Float32Array,
  start: number,
  bias: Float32Array,
  g: number,
  slack: number,
): void {
  for (let r = 0; r < rows.length; r++) {
    const { coefficients, offset } = rows[r];
    let total = found[first + r] + offset - slack - Math.abs(offset) * 2 ** -50;
    // Coefficients that float32 cannot hold are off by a unit roundoff; the error weight holds many of them.
    for (let c = 0; c < bias.length; c++)
      total -= Math.abs(coefficients[c]) * (error[start + c] + g * Math.abs(bias[c])) * errorInflation;
    result[r] = Number.isFinite(total) ? total : Number.NEGATIVE_INFINITY;
  }
}

/** What a functional of a layer is at least by the bounds of its neurons alone, which begin at `start`. */
export function leastOf({ coefficients, offset }: HalfSpace, { lower, upper }: NodeBounds, start: number): number {
  let [sum, magnitude] = [offset, Math.abs(offset)];
  for (let c = 0; c < coefficients.length; c++) {
    const own = coefficients[c];
    if (own === 0) continue;
    const term = own * (own > 0 ? lower[start + c] : upper[start + c]);
    sum += term;
    magnitude += Math.abs(term);
  }
  // Twice what n products and n additions in float64 may be off by.
  const least = sum - magnitude * (coefficients.length + 2) * 2 ** -52;
  return Number.isFinite(least) ? least : Number.NEGATIVE_INFINITY;
}
