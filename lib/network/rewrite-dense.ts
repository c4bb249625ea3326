import { type Fold, foldError, foldOf, noteSum, sumOfProducts } from './folding';
import type { DenseNode, NetworkNode, SelectNode } from './network';

/**
 * Rewrites around selects and dense layers. Each returns the equivalent node, or undefined where it does not apply or where
 * cancellation would leave weights less exact than float32 (folding.ts).
 */

/** Multiplications that one fusion of two dense layers may cost. */
const fusionBudget = 1e9;

/** Whether a select is the identity map of a vector of this size. */
export function isIdentity({ index, scale, bias }: SelectNode, sourceSize: number): boolean {
  return !scale && !bias && keepsOrder(index, sourceSize);
}

export function keepsOrder(index: Int32Array, sourceSize: number): boolean {
  return index.length === sourceSize && index.every((source, i) => source === i);
}

/** outer(inner(x)) as one select of x. */
export function composeSelects(outer: SelectNode, inner: SelectNode): SelectNode | undefined {
  const { size } = outer;
  const fold = foldOf(outer, inner);
  const index = new Int32Array(size).fill(-1);
  const scale = new Float64Array(size).fill(1);
  const bias = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const middle = outer.index[i];
    bias[i] = outer.bias?.[i] ?? 0;
    if (middle < 0) continue;
    const factor = outer.scale?.[i] ?? 1;
    bias[i] = sumOfProducts(fold, [bias[i], factor], [1, inner.bias?.[middle] ?? 0]);
    index[i] = inner.index[middle];
    if (index[i] >= 0) scale[i] = factor * (inner.scale?.[middle] ?? 1);
  }
  const error = foldError(fold);
  return (
    error && {
      kind: 'select',
      name: outer.name,
      shape: outer.shape,
      size,
      from: inner.from,
      index,
      ...error,
      ...(scale.some((value) => value !== 1) && { scale }),
      ...(bias.some((value) => value !== 0) && { bias }),
    }
  );
}

/** select(dense(x)) as one dense layer, where it has no more rows than before. */
export function selectAfterDense(select: SelectNode, dense: DenseNode): DenseNode | undefined {
  if (select.size > dense.size) return undefined;
  const inSize = dense.weight.length / dense.size;
  const fold = foldOf(select, dense);
  const weight = new Float64Array(select.size * inSize);
  const bias = new Float64Array(select.size);
  for (let i = 0; i < select.size; i++) {
    const row = select.index[i];
    bias[i] = select.bias?.[i] ?? 0;
    if (row < 0) continue;
    const factor = select.scale?.[i] ?? 1;
    bias[i] = sumOfProducts(fold, [bias[i], factor], [1, dense.bias[row]]);
    for (let k = 0; k < inSize; k++) weight[i * inSize + k] = factor * dense.weight[row * inSize + k];
  }
  const error = foldError(fold);
  const { name, shape, size } = select;
  return error && { kind: 'dense', name, shape, size, from: dense.from, weight, bias, ...error };
}

/** dense(select(x)) as one dense layer, where x is no longer than the select. */
export function denseAfterSelect(dense: DenseNode, select: SelectNode, source: NetworkNode): DenseNode | undefined {
  if (source.size > select.size) return undefined;
  const fold = foldOf(dense, select);
  const weight = new Float64Array(dense.size * source.size);
  const shifts = [1, ...(select.bias ?? [])];
  // Where several outputs of the select come from one input, their weights add up.
  const readers = readersOf(select, source.size);
  const factors = readers.map((outputs) => outputs.map((i) => select.scale?.[i] ?? 1));
  const bias = dense.bias.map((own, row) => {
    const weights = dense.weight.subarray(row * select.size, (row + 1) * select.size);
    for (let column = 0; column < source.size; column++) {
      const [outputs, scales] = [readers[column], factors[column]];
      weight[row * source.size + column] =
        outputs.length === 1 ? weights[outputs[0]] * scales[0] : weightOf(fold, weights, outputs, scales);
    }
    return select.bias ? sumOfProducts(fold, [own, ...weights], shifts) : own;
  });
  const error = foldError(fold);
  return error && { ...dense, from: select.from, weight, bias, ...error };
}

function weightOf(fold: Fold, weights: Float64Array, outputs: readonly number[], scales: readonly number[]): number {
  const read = outputs.map((i) => weights[i]);
  return sumOfProducts(fold, read, scales);
}

/** For each input the outputs of the select that come from it. */
function readersOf({ index }: SelectNode, inputs: number): number[][] {
  const readers = Array.from({ length: inputs }, (): number[] => []);
  for (const [i, column] of index.entries()) if (column >= 0) readers[column].push(i);
  return readers;
}

/** outer(inner(x)) as one dense layer, where it has no more weights than the two. */
export function composeDense(outer: DenseNode, inner: DenseNode): DenseNode | undefined {
  const inSize = inner.weight.length / inner.size;
  const grows = outer.size * inSize > outer.weight.length + inner.weight.length;
  if (grows || outer.weight.length * inSize > fusionBudget) return undefined;
  const fold = foldOf(outer, inner);
  const weight = new Float64Array(outer.size * inSize);
  const bias = new Float64Array(outer.size);
  const magnitudes = new Float64Array(inSize);
  for (let row = 0; row < outer.size; row++) {
    const factors = outer.weight.subarray(row * inner.size, (row + 1) * inner.size);
    const sums = weight.subarray(row * inSize, (row + 1) * inSize);
    magnitudes.fill(0);
    for (let middle = 0; middle < inner.size; middle++) {
      const factor = factors[middle];
      if (factor === 0) continue;
      for (let k = 0; k < inSize; k++) {
        const product = factor * inner.weight[middle * inSize + k];
        sums[k] += product;
        magnitudes[k] += Math.abs(product);
      }
    }
    for (let k = 0; k < inSize; k++) {
      if (noteSum(fold, sums[k], magnitudes[k], inner.size)) continue;
      const column = Float64Array.from(factors, (_, middle) => inner.weight[middle * inSize + k]);
      sums[k] = sumOfProducts(fold, factors, column);
    }
    bias[row] = sumOfProducts(fold, [outer.bias[row], ...factors], [1, ...inner.bias]);
  }
  const error = foldError(fold);
  return error && { ...outer, from: inner.from, weight, bias, ...error };
}
