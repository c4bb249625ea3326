import type { Emitter } from '../emitter';
import { broadcastShape } from '../indexing';
import { elements, refuse, type Tensor, type VariableTensor, weights } from '../values';
import { expand, foldConstants, negated, sum } from './elementwise';
import { constantAt, inputAt, type OperatorNode, type OperatorRule, variableAt } from './rule';

/** A number beyond the float32 range limits nothing: exporters write "no limit" so. */
const largest = 3.4028234663852886e38;

/** max(x, c) = c + relu(x - c) */
function atLeast(emit: Emitter, x: VariableTensor, low: number): VariableTensor {
  if (low <= -largest) return x;
  return emit.scalar(emit.relu(emit.scalar(x, 1, -low)), 1, low);
}

/** min(x, c) = c - relu(c - x) */
function atMost(emit: Emitter, x: VariableTensor, high: number): VariableTensor {
  if (high >= largest) return x;
  return emit.scalar(emit.relu(emit.scalar(x, -1, high)), -1, high);
}

/** https://onnx.ai/onnx/operators/onnx__Clip.html: limits are attributes before opset 11, inputs since */
export const clip: OperatorRule = (node) => {
  const low = limit(node, 'min', 1, Number.NEGATIVE_INFINITY);
  const high = limit(node, 'max', 2, Number.POSITIVE_INFINITY);
  return atMost(node.emit, atLeast(node.emit, variableAt(node, 0), low), high);
};

function limit(node: OperatorNode, name: string, position: number, absent: number): number {
  if (!node.inputs[position]) return node.attributes.float(name, absent);
  const tensor = constantAt(node, position, name);
  const [value] = tensor.data;
  if (elements(tensor.shape) !== 1 || Number.isNaN(value)) return refuse(`${name} is not one number`);
  return value;
}

function larger(emit: Emitter, a: Tensor, b: Tensor): Tensor {
  if (a.kind === 'constant') return b.kind === 'constant' ? foldConstants(a, b, Math.max) : larger(emit, b, a);
  const shape = broadcastShape(a.shape, b.shape);
  const left = expand(emit, a, shape);
  if (b.kind === 'variable') return emit.max(left, expand(emit, b, shape));
  weights(b, 'the constant operand');
  const difference = sum(emit, left, negated(emit, b)) as VariableTensor;
  return sum(emit, emit.relu(difference), b);
}

/** https://onnx.ai/onnx/operators/onnx__Max.html of any number of tensors */
export const max: OperatorRule = (node) =>
  node.inputs.map((_, i) => inputAt(node, i)).reduce((a, b) => larger(node.emit, a, b));

/** min(a, b) = -max(-a, -b) */
export const min: OperatorRule = (node) => {
  const opposites = node.inputs.map((_, i) => negated(node.emit, inputAt(node, i)));
  return negated(
    node.emit,
    opposites.reduce((a, b) => larger(node.emit, a, b)),
  );
};
