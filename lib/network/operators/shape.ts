import { reshaped } from '../emitter';
import type { Shape } from '../network';
import { axisOf, elements, formatShape, refuse, type Tensor } from '../values';
import { inputAt, integers, type OperatorNode, type OperatorRule } from './rule';

/** https://onnx.ai/onnx/operators/onnx__Flatten.html */
export const flatten: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const given = node.attributes.int('axis', 1);
  const axis = given < 0 ? given + x.shape.length : given;
  if (axis < 0 || axis > x.shape.length) refuse(`axis ${given} does not exist in a tensor of rank ${x.shape.length}`);
  return reshaped(x, [elements(x.shape.slice(0, axis)), elements(x.shape.slice(axis))]);
};

/** https://onnx.ai/onnx/operators/onnx__Reshape.html */
export const reshape: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const target = integers(node, 'shape', 1) ?? refuse('the target shape is missing');
  const shape = reshapedWithBatch(x, target, node) ?? resolve(x.shape, target, node);
  return reshaped(x, shape ?? refuse(`${formatShape(x.shape)} cannot be reshaped to ${formatShape(target)}`));
};

/**
 * Where the file fixes a batch of more than one, target shapes are meant for that batch (unless computed from Shape,
 * which gives one): what the target makes of the whole batch, if it keeps the batch in front, is made of one input.
 */
function reshapedWithBatch(x: Tensor, target: Shape, node: OperatorNode): Shape | undefined {
  if (node.fileBatch === undefined || x.kind === 'constant' || x.shape[0] !== 1) return undefined;
  const whole = resolve([node.fileBatch, ...x.shape.slice(1)], target, node);
  return whole?.[0] === node.fileBatch ? [1, ...whole.slice(1)] : undefined;
}

/** Fills in 0 (copied, unless allowzero) and -1 (the rest); undefined where the number of values does not fit. */
function resolve(from: Shape, target: Shape, node: OperatorNode): Shape | undefined {
  const allowZero = node.attributes.int('allowzero', 0) === 1;
  const copied = target.map((size, i) => (size === 0 && !allowZero ? (from[i] ?? refuse('0 beyond the rank')) : size));
  const rest = elements(from) / elements(copied.filter((size) => size !== -1));
  const shape = copied.map((size) => (size === -1 ? rest : size));
  return Number.isInteger(rest) && elements(shape) === elements(from) ? shape : undefined;
}

/** https://onnx.ai/onnx/operators/onnx__Squeeze.html */
export const squeeze: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const axes = integers(node, 'axes', 1)?.map((axis) => axisOf(axis, x.shape.length));
  for (const axis of axes ?? []) {
    if (x.shape[axis] !== 1) refuse(`axis ${axis} of ${formatShape(x.shape)} is not of size 1`);
  }
  return reshaped(
    x,
    x.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
  );
};

/** https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export const unsqueeze: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const axes = integers(node, 'axes', 1) ?? refuse('axes are missing');
  const rank = x.shape.length + axes.length;
  const added = new Set(axes.map((axis) => axisOf(axis, rank)));
  if (added.size !== axes.length) refuse(`axes ${formatShape(axes)} repeat`);
  const rest = x.shape.values();
  return reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value as number))),
  );
};

/** Identity, and operators that are the identity when the model is run rather than trained. */
export const identity: OperatorRule = (node) => inputAt(node, 0);

/** https://onnx.ai/onnx/operators/onnx__Dropout.html, at inference; the mask output is not computed. */
export const dropout: OperatorRule = (node) => {
  const training: Tensor | undefined = node.inputs[2];
  if (training && !(training.kind === 'constant' && training.data[0] === 0)) {
    refuse('training_mode is on; export the model in evaluation mode');
  }
  return inputAt(node, 0);
};
