import { axisOf, elements, formatShape, refuse, weights } from '../values';
import { constantAt, type OperatorNode, type OperatorRule, variableAt } from './rule';

/**
 * https://onnx.ai/onnx/operators/onnx__BatchNormalization.html at inference:
 * gamma (x - mean) / sqrt(variance + epsilon) + beta for each channel (axis 1).
 */
export const batchNormalization: OperatorRule = (node) => {
  const x = variableAt(node, 0);
  if (node.attributes.int('training_mode', 0) !== 0) refuse('training_mode is on; export the model in evaluation mode');
  if (node.attributes.int('spatial', 1) === 0) refuse('statistics for each position (spatial = 0)');
  const channels = x.shape[1];
  const values = (position: number, what: string): Float64Array => {
    const data = weights(constantAt(node, position, what), what);
    return data.length === channels ? data : refuse(`${what} has ${data.length} values for ${channels} channels`);
  };
  const [gamma, beta] = [values(1, 'the scale'), values(2, 'the bias')];
  const [mean, variance] = [values(3, 'the mean'), values(4, 'the variance')];
  const epsilon = node.attributes.float('epsilon', Math.fround(1e-5));
  const factor = gamma.map((value, c) => value / Math.sqrt(variance[c] + epsilon));
  if (!factor.every(Number.isFinite)) refuse('a variance is not positive');
  const area = elements(x.shape.slice(2));
  const channelOf = Int32Array.from({ length: elements(x.shape) }, (_, i) => Math.floor(i / area) % channels);
  // In two parts, which become one where mean and bias do not cancel each other.
  const centred = node.emit.affine(x, {
    scale: Float64Array.from(channelOf, (c) => factor[c]),
    bias: Float64Array.from(channelOf, (c) => -mean[c] * factor[c]),
  });
  return node.emit.affine(centred, { bias: Float64Array.from(channelOf, (c) => beta[c]) });
};

/**
 * Softmax or LogSoftmax over all classes, as the last node: left out. Both keep the order of the scores, so a class has
 * the highest score after it exactly when it has before it, and every margin keeps its sign.
 */
export const finalSoftmax: OperatorRule = (node) => {
  const x = variableAt(node, 0);
  if (!node.isLast) refuse('is read only as the last node, where it can be left out');
  if (classesOf(node, x.shape) !== elements(x.shape)) {
    refuse(
      `axis ${node.attributes.int('axis', node.opset < 13 ? 1 : -1)} of ${formatShape(x.shape)} is not the class axis`,
    );
  }
  return x;
};

/** Number of values that are normalised together: all axes from `axis` on before opset 13, that axis alone since. */
function classesOf({ opset, attributes }: OperatorNode, shape: readonly number[]): number {
  const axis = axisOf(attributes.int('axis', opset < 13 ? 1 : -1), shape.length);
  return opset < 13 ? elements(shape.slice(axis)) : shape[axis];
}
