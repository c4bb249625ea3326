import type { NodeId } from '../../network/network';

/** Bounds of the values of a ReLU layer, [size] each, 0 <= lower <= upper: what the rest of the network can see of a ball. */
export interface LayerBox {
  readonly lower: Float32Array;
  readonly upper: Float32Array;
}

/**
 * A proven statement about the rest of one network: for all values h of the ReLU layer with box.lower <= h <= box.upper, every margin of
 * `label` is >= margin > 0, in real arithmetic. It mentions no input, hence neither radius, norm nor valid range: any ball whose layer
 * bounds lie inside the box is robust for the label.
 */
export interface Lemma {
  readonly label: number;
  readonly relu: NodeId;
  readonly box: LayerBox;
  readonly margin: number;
  /** Balls whose bounds it was made from. */
  readonly members: number;
}

/**
 * The ReLU's values of one row of pre-activation bounds. relu is monotone and never negative, so nothing is lost or rounded; an unknown
 * lower bound (NaN) becomes 0, an unknown upper bound stays NaN, of which nothing is ever proven.
 *
 * @param lower, upper [rows, size]
 */
export function layerBox(lower: Float32Array, upper: Float32Array, row: number, size: number): LayerBox {
  const box = { lower: lower.slice(row * size, (row + 1) * size), upper: upper.slice(row * size, (row + 1) * size) };
  for (let j = 0; j < size; j++) {
    if (!(box.lower[j] > 0)) box.lower[j] = 0;
    if (box.upper[j] <= 0) box.upper[j] = 0;
  }
  return box;
}

/** Whether the inner box lies inside the outer one, compared exactly. NaN is inside nothing. */
export function containsBox(outer: LayerBox, inner: LayerBox): boolean {
  const { lower, upper } = outer;
  if (inner.lower.length !== lower.length) return false;
  for (let j = 0; j < lower.length; j++) {
    if (!(inner.upper[j] <= upper[j] && inner.lower[j] >= lower[j])) return false;
  }
  return true;
}
