import type { ConvNode, DenseNode, SelectNode } from './network';

/**
 * Folding two affine nodes into one adds and multiplies their weights in float64. Where large terms cancel, what is left may
 * be wrong in its first digits, and no error bound of the folded network would know. So every folded node says how wrong its
 * values may be, relative to themselves, and a fold that would lose more than float32 needs is not made.
 */

/** A quarter of the unit roundoff of float32: the roundings that error bounds count besides sums have room for it. */
export const largestFoldError = 2 ** -26;

/** A few roundings of float64: what a value may have gone through that is not in the model's file. */
const computedError = 2 ** -50;

const unitRoundoff = 2 ** -53;

/** Bound of the relative errors of a node's weights and biases. Values of float32 are taken to be those of the file. */
export function foldErrorOf(node: DenseNode | ConvNode | SelectNode): number {
  if (node.foldError !== undefined) return node.foldError;
  const values = node.kind === 'select' ? [node.scale, node.bias] : [node.weight, node.bias];
  return values.every((list) => list?.every((value) => Math.fround(value) === value) ?? true) ? 0 : computedError;
}

/** The error of the nodes that values are folded from, and the largest of the folded values so far. */
export interface Fold {
  /** Relative error of a product of two of their values. */
  readonly ofTerms: number;
  largest: number;
}

export function foldOf(outer: DenseNode | ConvNode | SelectNode, inner: DenseNode | ConvNode | SelectNode): Fold {
  const ofTerms = (foldErrorOf(outer) + foldErrorOf(inner)) * 1.001;
  // Products of two float32 values are exact in float64.
  const isExact = ofTerms === 0 && outer.foldError === undefined && inner.foldError === undefined;
  return { ofTerms, largest: isExact ? 0 : ofTerms + unitRoundoff };
}

/** What the folded node says of its error, or undefined where it is too large to fold. */
export function foldError({ largest }: Fold): { readonly foldError: number } | undefined {
  return largest <= largestFoldError ? { foldError: largest } : undefined;
}

/**
 * Notes a value that was summed up plainly from `terms` products whose absolute values add up to `magnitude`; false where so much
 * cancelled that `sumOfProducts` should be asked.
 */
export function noteSum(fold: Fold, value: number, magnitude: number, terms: number): boolean {
  if (magnitude === 0) return true;
  const error = ((terms + 2) * unitRoundoff + fold.ofTerms) * magnitude;
  if (!(error <= 2 ** -44 * Math.abs(value))) return false;
  fold.largest = Math.max(fold.largest, error / Math.abs(value));
  return true;
}

/**
 * The sum of products a[0] b[0] + a[1] b[1] + ... as if summed in twice the precision (Ogita, Rump and Oishi 2005, "Accurate sum and
 * dot product", algorithm Dot2), with its relative error noted.
 */
export function sumOfProducts(fold: Fold, a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  let correction = 0;
  let magnitude = 0;
  let isExact = true;
  for (let i = 0; i < a.length; i++) {
    const product = a[i] * b[i];
    const total = sum + product;
    const part = total - sum;
    const lost = sum - (total - part) + (product - part) + productError(a[i], b[i], product);
    sum = total;
    correction += lost;
    magnitude += Math.abs(product);
    isExact &&= lost === 0;
  }
  const value = sum + correction;
  if (magnitude === 0) return value;
  const terms = a.length + 1;
  const ofSum = isExact ? 0 : unitRoundoff * Math.abs(value) + 2 * (terms * unitRoundoff) ** 2 * magnitude;
  const error = ofSum + fold.ofTerms * magnitude;
  if (error > 0) fold.largest = Math.max(fold.largest, error / Math.abs(value));
  // Overflow: nothing is known.
  if (!Number.isFinite(value)) fold.largest = Number.POSITIVE_INFINITY;
  return value;
}

/** a b - product, exactly (Dekker 1971). */
function productError(a: number, b: number, product: number): number {
  const [highA, highB] = [high(a), high(b)];
  const [lowA, lowB] = [a - highA, b - highB];
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

/** The upper 26 bits (Veltkamp). */
function high(value: number): number {
  const scaled = 134217729 * value;
  return scaled - (scaled - value);
}
