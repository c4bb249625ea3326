import type { Emitter } from '../emitter';
import { reshaped } from '../emitter';
import { broadcastShape, transposeIndex } from '../indexing';
import {
  type ConstantTensor,
  constant,
  elements,
  formatShape,
  refuse,
  type Tensor,
  type VariableTensor,
  weights,
} from '../values';
import { expand, sum } from './elementwise';
import { inputAt, type OperatorRule } from './rule';

/** Exchanges the last two axes. */
function transposed<T extends Tensor>(emit: Emitter, tensor: T): T {
  const rank = tensor.shape.length;
  const permutation = tensor.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return emit.rearrange(
    tensor,
    permutation.map((axis) => tensor.shape[axis]),
    transposeIndex(tensor.shape, permutation),
  );
}

/**
 * Matrix product as in numpy.matmul, where one side is constant: one dense layer for a single row, else (one weight
 * matrix for many rows, or a stack of matrices) a 1 x 1 convolution whose positions are the rows.
 */
export function product(emit: Emitter, a: Tensor, b: Tensor): Tensor {
  if (a.shape.length === 0 || b.shape.length === 0) refuse('a factor is a scalar');
  const left = a.shape.length === 1 ? reshaped(a, [1, ...a.shape]) : a;
  const right = b.shape.length === 1 ? reshaped(b, [...b.shape, 1]) : b;
  if (left.shape.at(-1) !== right.shape.at(-2)) {
    refuse(`matrices ${formatShape(a.shape)} and ${formatShape(b.shape)} cannot be multiplied`);
  }
  const matrix = matrixProduct(emit, left, right);
  const shape = [...matrix.shape];
  if (b.shape.length === 1) shape.splice(-1, 1);
  if (a.shape.length === 1) shape.splice(b.shape.length === 1 ? -1 : -2, 1);
  return reshaped(matrix, shape);
}

function matrixProduct(emit: Emitter, a: Tensor, b: Tensor): Tensor {
  if (b.kind === 'constant') return a.kind === 'constant' ? constantProduct(a, b) : rowsTimes(emit, a, b);
  if (a.kind === 'variable') return refuse('multiplies two values that depend on the input');
  return transposed(emit, rowsTimes(emit, transposed(emit, b), transposed(emit, a)));
}

/** x [..., rows, inner] times w [..., inner, columns]. */
function rowsTimes(emit: Emitter, x: VariableTensor, w: ConstantTensor): VariableTensor {
  const stack = broadcastShape(x.shape.slice(0, -2), w.shape.slice(0, -2));
  const [rows, inner] = x.shape.slice(-2);
  const columns = w.shape.at(-1) as number;
  const shape = [...stack, rows, columns];
  const turned = transposed(emit, w);
  const weight = weights(turned, 'the weight matrix');
  const shared = elements(w.shape.slice(0, -2)) === 1;
  const all = expand(emit, x, [...stack, rows, inner]);
  if (elements(stack) * rows === 1) return emit.dense(all, shape, weight);

  const [groups, positions] = shared ? [1, elements(stack) * rows] : [elements(stack), rows];
  const channelsFirst = transposed(emit, reshaped(all, [groups, positions, inner]));
  const stacked = shared ? turned : expand(emit, turned, [...stack, columns, inner]);
  const result = emit.conv(channelsFirst, [groups, columns, positions], {
    weight: stacked.data,
    bias: new Float64Array(groups * columns),
    kernel: [1, 1],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups,
    inShape: [groups * inner, 1, positions],
    outShape: [groups * columns, 1, positions],
  });
  return reshaped(transposed(emit, result), shape);
}

function constantProduct(a: ConstantTensor, b: ConstantTensor): ConstantTensor {
  if (elements(a.shape.slice(0, -2)) * elements(b.shape.slice(0, -2)) !== 1) refuse('multiplies stacks of constants');
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape.at(-1) as number;
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      for (let j = 0; j < columns; j++) data[i * columns + j] += a.data[i * inner + k] * b.data[k * columns + j];
    }
  }
  return constant(a.type, [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns], data);
}

function times(emit: Emitter, tensor: Tensor, factor: number): Tensor {
  if (factor === 1) return tensor;
  if (tensor.kind === 'variable') return emit.scalar(tensor, factor);
  return { ...tensor, data: tensor.data.map((value) => value * factor) };
}

/** https://onnx.ai/onnx/operators/onnx__MatMul.html */
export const matMul: OperatorRule = (node) => product(node.emit, inputAt(node, 0), inputAt(node, 1));

/** https://onnx.ai/onnx/operators/onnx__Gemm.html: alpha A' B' + beta C, where A' and B' may be transposed */
export const gemm: OperatorRule = ({ emit, attributes, inputs }) => {
  const operand = (position: number, flag: string): Tensor => {
    const matrix = inputs[position] ?? refuse(`input ${position} is missing`);
    if (matrix.shape.length !== 2) refuse(`input ${position} is not a matrix but ${formatShape(matrix.shape)}`);
    return attributes.int(flag, 0) === 0 ? matrix : transposed(emit, matrix);
  };
  const [a, b] = [operand(0, 'transA'), operand(1, 'transB')];
  const alpha = attributes.float('alpha', 1);
  const scaledProduct =
    a.kind === 'constant' ? product(emit, times(emit, a, alpha), b) : product(emit, a, times(emit, b, alpha));
  const c = inputs[2];
  return c ? sum(emit, scaledProduct, times(emit, c, attributes.float('beta', 1))) : scaledProduct;
};
