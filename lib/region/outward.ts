import type { Box } from './box';

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

const smallest = 2 ** -149;
const largest = (2 - 2 ** -23) * 2 ** 127;

/** The next float32 above a float32 (not NaN, not +Infinity). */
function nextUp(value: number): number {
  if (value === 0) return smallest;
  float[0] = value;
  bits[0] += value > 0 ? 1 : -1;
  return float[0];
}

/** The largest float32 <= value; -Infinity where all are larger. */
export function roundDown(value: number): number {
  const nearest = Math.fround(value);
  return nearest > value ? -nextUp(-nearest) : nearest;
}

/** The smallest float32 >= value; Infinity where all are smaller. */
export function roundUp(value: number): number {
  return -roundDown(-value);
}

/** A box whose bounds are float32 numbers. */
export interface Float32Box {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * The smallest float32 box that contains the box, for proofs: what holds on it holds on the box. Bounds beyond the
 * float32 range become infinite. Throws RangeError for a NaN bound, of which nothing could be proven.
 */
export function outward({ lower, upper }: Box): Float32Box {
  return {
    lower: roundedInto(lower, new Float32Array(lower.length), -1),
    upper: roundedInto(upper, new Float32Array(upper.length), 1),
  };
}

/** As roundDown (-1) or roundUp (1), for many values at once; throws RangeError for NaN. */
export function roundedInto(values: Float64Array, to: Float32Array, direction: -1 | 1): Float32Array {
  const pattern = new Int32Array(to.buffer, to.byteOffset, to.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    to[i] = value;
    const nearest = to[i];
    if (nearest === value) continue;
    if (Number.isNaN(value)) throw new RangeError(`bound ${i} of the box is NaN`);
    if (direction < 0 ? nearest < value : nearest > value) continue;
    // The next number in the direction: away from zero is the next bit pattern.
    if (nearest === 0) to[i] = direction * smallest;
    else pattern[i] += nearest > 0 === direction > 0 ? 1 : -1;
  }
  return to;
}

/**
 * The largest finite float32 box inside the box, for witnesses: its float32 points are exactly those that `contains`
 * accepts (but for infinities). Coordinates between whose bounds no finite float32 lies are listed instead: then no
 * finite float32 input is in the box at all. Throws RangeError for a NaN bound.
 */
export function inward({
  lower,
  upper,
}: Box): ({ readonly empty: false } & Float32Box) | { readonly empty: true; readonly coordinates: readonly number[] } {
  refuseNaN(lower);
  refuseNaN(upper);
  const low = Float32Array.from(lower, (bound) => Math.max(roundUp(bound), -largest));
  const high = Float32Array.from(upper, (bound) => Math.min(roundDown(bound), largest));
  const coordinates: number[] = [];
  for (let i = 0; i < low.length; i++) if (low[i] > high[i]) coordinates.push(i);
  return coordinates.length === 0 ? { empty: false, lower: low, upper: high } : { empty: true, coordinates };
}

function refuseNaN(bounds: Float64Array): void {
  const at = bounds.findIndex(Number.isNaN);
  if (at >= 0) throw new RangeError(`bound ${at} of the box is NaN`);
}
