import type { Emitter } from '../emitter';
import { broadcastIndex, broadcastShape } from '../indexing';
import type { Shape } from '../network';
import { isFloatingPoint } from '../protobuf';
import { type ConstantTensor, constant, elements, refuse, type Tensor, type VariableTensor, weights } from '../values';
import { inputAt, type OperatorNode, type OperatorRule } from './rule';

/** The tensor expanded to a broadcast shape. */
export function expand<T extends Tensor>(emit: Emitter, tensor: T, shape: Shape): T {
  return emit.rearrange(tensor, shape, broadcastIndex(tensor.shape, shape));
}

/** A float32 constant's values, expanded to a broadcast shape. */
export function expandedWeights(tensor: ConstantTensor, shape: Shape, what: string): Float64Array {
  const data = weights(tensor, what);
  return Float64Array.from(broadcastIndex(tensor.shape, shape), (source) => data[source]);
}

/** Elementwise function of two constants, with broadcasting; the result has the type of the first unless given. */
export function foldConstants(
  a: ConstantTensor,
  b: ConstantTensor,
  apply: (a: number, b: number) => number,
  type = a.type,
): ConstantTensor {
  const shape = broadcastShape(a.shape, b.shape);
  const left = broadcastIndex(a.shape, shape);
  const right = broadcastIndex(b.shape, shape);
  const data = Float64Array.from({ length: elements(shape) }, (_, i) => apply(a.data[left[i]], b.data[right[i]]));
  return constant(type, shape, data);
}

/** Sum of two tensors with broadcasting. */
export function sum(emit: Emitter, a: Tensor, b: Tensor): Tensor {
  if (a.kind === 'constant') return b.kind === 'constant' ? foldConstants(a, b, (x, y) => x + y) : sum(emit, b, a);
  const shape = broadcastShape(a.shape, b.shape);
  if (b.kind === 'constant') {
    const bias = expandedWeights(b, shape, 'the constant summand');
    return emit.select(a, shape, broadcastIndex(a.shape, shape), { bias });
  }
  return emit.add(expand(emit, a, shape), expand(emit, b, shape));
}

/** Product of a network value and a constant, with broadcasting. */
export function scaled(emit: Emitter, x: VariableTensor, factor: ConstantTensor, invert = false): VariableTensor {
  const shape = broadcastShape(x.shape, factor.shape);
  const scale = expandedWeights(factor, shape, invert ? 'the divisor' : 'the factor');
  if (invert && scale.includes(0)) refuse('divides by zero');
  return emit.select(x, shape, broadcastIndex(x.shape, shape), { scale: invert ? scale.map((v) => 1 / v) : scale });
}

export function negated(emit: Emitter, x: Tensor): Tensor {
  return x.kind === 'variable' ? emit.scalar(x, -1) : { ...x, data: x.data.map((value) => -value) };
}

const operands = (node: OperatorNode): [Tensor, Tensor] => [inputAt(node, 0), inputAt(node, 1)];

/** https://onnx.ai/onnx/operators/onnx__Add.html: a constant summand, or a residual connection */
export const add: OperatorRule = (node) => sum(node.emit, ...operands(node));

export const sub: OperatorRule = (node) => {
  const [a, b] = operands(node);
  return sum(node.emit, a, negated(node.emit, b));
};

export const neg: OperatorRule = (node) => negated(node.emit, inputAt(node, 0));

/** https://onnx.ai/onnx/operators/onnx__Sum.html: any number of summands */
export const sumAll: OperatorRule = (node) =>
  node.inputs.map((_, i) => inputAt(node, i)).reduce((a, b) => sum(node.emit, a, b));

export const mul: OperatorRule = (node) => {
  const [a, b] = operands(node);
  if (a.kind === 'constant')
    return b.kind === 'constant' ? foldConstants(a, b, (x, y) => x * y) : scaled(node.emit, b, a);
  return b.kind === 'constant' ? scaled(node.emit, a, b) : refuse('multiplies two values that depend on the input');
};

/** Division of integers truncates; division of a network value is by a constant only. */
export const div: OperatorRule = (node) => {
  const [a, b] = operands(node);
  if (b.kind === 'variable') return refuse('divides by a value that depends on the input');
  if (a.kind === 'variable') return scaled(node.emit, a, b, true);
  return foldConstants(a, b, isFloatingPoint(a.type) ? (x, y) => x / y : (x, y) => Math.trunc(x / y));
};
