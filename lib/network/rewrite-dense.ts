import type { DenseNode, NetworkNode, SelectNode } from './network';

/** Rewrites around selects and dense layers. Each returns the equivalent node, or undefined where it does not apply. */

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
export function composeSelects(outer: SelectNode, inner: SelectNode): SelectNode {
  const { size } = outer;
  const index = new Int32Array(size).fill(-1);
  const scale = new Float64Array(size).fill(1);
  const bias = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const middle = outer.index[i];
    bias[i] = outer.bias?.[i] ?? 0;
    if (middle < 0) continue;
    const factor = outer.scale?.[i] ?? 1;
    bias[i] += factor * (inner.bias?.[middle] ?? 0);
    index[i] = inner.index[middle];
    if (index[i] >= 0) scale[i] = factor * (inner.scale?.[middle] ?? 1);
  }
  return {
    kind: 'select',
    name: outer.name,
    shape: outer.shape,
    size,
    from: inner.from,
    index,
    ...(scale.some((value) => value !== 1) && { scale }),
    ...(bias.some((value) => value !== 0) && { bias }),
  };
}

/** select(dense(x)) as one dense layer, where it has no more rows than before. */
export function selectAfterDense(select: SelectNode, dense: DenseNode): DenseNode | undefined {
  if (select.size > dense.size) return undefined;
  const inSize = dense.weight.length / dense.size;
  const weight = new Float64Array(select.size * inSize);
  const bias = new Float64Array(select.size);
  for (let i = 0; i < select.size; i++) {
    const row = select.index[i];
    bias[i] = select.bias?.[i] ?? 0;
    if (row < 0) continue;
    const factor = select.scale?.[i] ?? 1;
    bias[i] += factor * dense.bias[row];
    for (let k = 0; k < inSize; k++) weight[i * inSize + k] = factor * dense.weight[row * inSize + k];
  }
  return { kind: 'dense', name: select.name, shape: select.shape, size: select.size, from: dense.from, weight, bias };
}

/** dense(select(x)) as one dense layer, where x is no longer than the select. */
export function denseAfterSelect(dense: DenseNode, select: SelectNode, source: NetworkNode): DenseNode | undefined {
  if (source.size > select.size) return undefined;
  const weight = new Float64Array(dense.size * source.size);
  const bias = Float64Array.from(dense.bias);
  for (let row = 0; row < dense.size; row++) {
    for (let i = 0; i < select.size; i++) {
      const value = dense.weight[row * select.size + i];
      const column = select.index[i];
      if (column >= 0) weight[row * source.size + column] += value * (select.scale?.[i] ?? 1);
      bias[row] += value * (select.bias?.[i] ?? 0);
    }
  }
  return { ...dense, from: select.from, weight, bias };
}

/** outer(inner(x)) as one dense layer, where it has no more weights than the two. */
export function composeDense(outer: DenseNode, inner: DenseNode): DenseNode | undefined {
  const inSize = inner.weight.length / inner.size;
  const grows = outer.size * inSize > outer.weight.length + inner.weight.length;
  if (grows || outer.weight.length * inSize > fusionBudget) return undefined;
  const weight = new Float64Array(outer.size * inSize);
  const bias = Float64Array.from(outer.bias);
  for (let row = 0; row < outer.size; row++) {
    for (let middle = 0; middle < inner.size; middle++) {
      const factor = outer.weight[row * inner.size + middle];
      if (factor === 0) continue;
      bias[row] += factor * inner.bias[middle];
      for (let k = 0; k < inSize; k++) weight[row * inSize + k] += factor * inner.weight[middle * inSize + k];
    }
  }
  return { ...outer, from: inner.from, weight, bias };
}
