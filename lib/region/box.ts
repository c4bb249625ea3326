/**
 * A box of network inputs: lower[i] <= x[i] <= upper[i], in real arithmetic. Bounds are float64, so that decimal bounds
 * of a property and clipped, normalised balls are kept as given; float32 computations round them outward (for proofs),
 * and a float32 witness is compared with them exactly.
 */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Whether the float32 point lies in the box, compared exactly (float32 to float64 is exact). NaN is outside. */
export function contains(box: Box, point: Float32Array): boolean {
  if (point.length !== box.lower.length) return false;
  for (let i = 0; i < point.length; i++) {
    if (!(point[i] >= box.lower[i] && point[i] <= box.upper[i])) return false;
  }
  return true;
}
