import { broadcastShape, sameShape } from '../indexing';
import { formatShape, refuse } from '../values';
import { expandedWeights } from './elementwise';
import { constantAt, type OperatorRule, variableAt } from './rule';

/** https://onnx.ai/onnx/operators/onnx__Relu.html */
export const relu: OperatorRule = (node) => node.emit.relu(variableAt(node, 0));

/** slope x + (1 - slope) relu(x) */
export const leakyRelu: OperatorRule = (node) => {
  const x = variableAt(node, 0);
  const slope = node.attributes.float('alpha', Math.fround(0.01));
  return node.emit.add(node.emit.scalar(x, slope), node.emit.scalar(node.emit.relu(x), 1 - slope));
};

/** As LeakyRelu, with a constant slope that broadcasts to the input (https://onnx.ai/onnx/operators/onnx__PRelu.html). */
export const pRelu: OperatorRule = (node) => {
  const x = variableAt(node, 0);
  const slope = constantAt(node, 1, 'the slope');
  if (!sameShape(broadcastShape(x.shape, slope.shape), x.shape)) {
    refuse(`slope ${formatShape(slope.shape)} does not broadcast to ${formatShape(x.shape)}`);
  }
  const scale = expandedWeights(slope, x.shape, 'the slope');
  const negative = node.emit.affine(x, { scale });
  return node.emit.add(negative, node.emit.affine(node.emit.relu(x), { scale: scale.map((value) => 1 - value) }));
};

/** |x| = 2 relu(x) - x */
export const abs: OperatorRule = (node) => {
  const x = node.inputs[0] ?? refuse('input 0 is missing');
  if (x.kind === 'constant') return { ...x, data: x.data.map(Math.abs) };
  return node.emit.add(node.emit.scalar(node.emit.relu(x), 2), node.emit.scalar(x, -1));
};
