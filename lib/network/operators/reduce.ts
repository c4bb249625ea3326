import { reshaped } from '../emitter';
import { transposeIndex } from '../indexing';
import { axisOf, type ConstantTensor, elements, refuse, type Tensor, type VariableTensor } from '../values';
import { maximum } from './collect';
import { negated } from './elementwise';
import { inputAt, integers, type OperatorNode, type OperatorRule } from './rule';

/** A tensor with the axes to reduce moved behind the others, as [kept, reduced]. */
interface Reduction<T extends Tensor> {
  readonly rows: T;
  readonly kept: number;
  readonly reduced: number;
  readonly shape: readonly number[];
}

function reduction<T extends Tensor>(node: OperatorNode, x: T, axes: readonly number[], keep: boolean): Reduction<T> {
  const kept = x.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const order = [...kept, ...axes];
  const moved = node.emit.rearrange(
    x,
    order.map((axis) => x.shape[axis]),
    transposeIndex(x.shape, order),
  );
  const sizes = [elements(kept.map((axis) => x.shape[axis])), elements(axes.map((axis) => x.shape[axis]))];
  const shape = keep ? x.shape.map((size, d) => (axes.includes(d) ? 1 : size)) : kept.map((axis) => x.shape[axis]);
  return { rows: reshaped(moved, sizes), kept: sizes[0], reduced: sizes[1], shape };
}

/** Each row's sum times a factor: a dense layer for one row, else a convolution of each row by itself. */
function rowSums(
  node: OperatorNode,
  { rows, kept, reduced, shape }: Reduction<VariableTensor>,
  factor: number,
): VariableTensor {
  const weight = new Float64Array(kept * reduced).fill(factor);
  if (kept === 1) return node.emit.dense(rows, shape, weight);
  return node.emit.conv(rows, shape, {
    weight,
    bias: new Float64Array(kept),
    kernel: [1, reduced],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: kept,
    inShape: [kept, 1, reduced],
    outShape: [kept, 1, 1],
  });
}

const rowMaxima = (node: OperatorNode, { rows, kept, reduced, shape }: Reduction<VariableTensor>): VariableTensor =>
  maximum(
    node.emit,
    rows,
    shape,
    Array.from({ length: kept }, (_, row) => Array.from({ length: reduced }, (_, i) => row * reduced + i)),
  );

function fold(
  { rows, shape, reduced }: Reduction<ConstantTensor>,
  apply: (row: Float64Array) => number,
): ConstantTensor {
  const data = Float64Array.from({ length: elements(shape) }, (_, row) =>
    apply(rows.data.subarray(row * reduced, (row + 1) * reduced)),
  );
  return { ...rows, shape, data };
}

const total = (row: Float64Array): number => row.reduce((a, b) => a + b, 0);

function reducer(
  onConstants: (row: Float64Array) => number,
  onValues: (node: OperatorNode, reduction: Reduction<VariableTensor>) => Tensor,
): OperatorRule {
  return (node) => {
    const x = inputAt(node, 0);
    const given = integers(node, 'axes', 1) ?? [];
    if (given.length === 0 && node.attributes.int('noop_with_empty_axes', 0) === 1) return x;
    const axes = given.length === 0 ? x.shape.map((_, d) => d) : given.map((axis) => axisOf(axis, x.shape.length));
    const keep = node.attributes.int('keepdims', 1) === 1;
    if (x.kind === 'constant') return fold(reduction(node, x, axes, keep), onConstants);
    return onValues(node, reduction(node, x, axes, keep));
  };
}

/** https://onnx.ai/onnx/operators/onnx__ReduceMean.html: axes are an attribute before opset 18 (13 for ReduceSum). */
export const reduceMean = reducer(
  (row) => total(row) / row.length,
  (node, rows) => rowSums(node, rows, 1 / rows.reduced),
);

export const reduceSum = reducer(total, (node, rows) => rowSums(node, rows, 1));

export const reduceMax = reducer((row) => Math.max(...row), rowMaxima);

/** min(x) = -max(-x) */
export const reduceMin = reducer(
  (row) => Math.min(...row),
  (node, { rows, ...rest }) => {
    const opposite = node.emit.scalar(rows, -1);
    return negated(node.emit, rowMaxima(node, { rows: opposite, ...rest }));
  },
);

export const reduceProd = reducer(
  (row) => row.reduce((a, b) => a * b, 1),
  () => refuse('multiplies values that depend on the input'),
);

/** GlobalAveragePool and GlobalMaxPool: the mean or maximum of each channel over its positions. */
export const overPositions =
  (rule: 'mean' | 'max'): OperatorRule =>
  (node) => {
    const x = inputAt(node, 0);
    if (x.kind === 'constant') return refuse('pools a constant');
    const axes = x.shape.flatMap((_, axis) => (axis > 1 ? [axis] : []));
    const rows = reduction(node, x, axes, true);
    return rule === 'mean' ? rowSums(node, rows, 1 / rows.reduced) : rowMaxima(node, rows);
  };
