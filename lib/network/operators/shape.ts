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

/** https://onnx.ai/onnx/operators/onnx__Reshape.html; a hard-coded batch size becomes the batch of one that is read. */
export const reshape: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const target = integers(node, 'shape', 1) ?? refuse('the target shape is missing');
  const shapes = [target, ...otherBatch(node, target)].map((wanted) => resolve(x.shape, wanted, node));
  const shape = shapes.find((candidate) => candidate && elements(candidate) === elements(x.shape));
  return reshaped(x, shape ?? refuse(`${formatShape(x.shape)} cannot be reshaped to ${formatShape(target)}`));
};

function otherBatch(node: OperatorNode, target: Shape): Shape[] {
  return node.fileBatch !== undefined && target[0] === node.fileBatch ? [[1, ...target.slice(1)]] : [];
}

/** Fills in 0 (copied, unless allowzero) and -1 (the rest); undefined where -1 would not be a whole number. */
function resolve(from: Shape, target: Shape, node: OperatorNode): number[] | undefined {
  const allowZero = node.attributes.int('allowzero', 0) === 1;
  const copied = target.map((size, i) => (size === 0 && !allowZero ? (from[i] ?? refuse('0 beyond the rank')) : size));
  const rest = elements(from) / elements(copied.filter((size) => size !== -1));
  if (!copied.includes(-1)) return copied;
  return Number.isInteger(rest) ? copied.map((size) => (size === -1 ? rest : size)) : undefined;
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
