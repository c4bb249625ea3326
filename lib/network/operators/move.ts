import { broadcastShape, gatherIndex, replaceAxis, strides, transposeIndex, wholeAxis } from '../indexing';
import { allowed, axisOf, constant, elements, formatShape, refuse, type Tensor, weights } from '../values';
import { collect } from './collect';
import { expand as expandTo } from './elementwise';
import { constantAt, inputAt, integers, type OperatorNode, type OperatorRule } from './rule';

/** Operators that only move values. */

/** https://onnx.ai/onnx/operators/onnx__Transpose.html */
export const transpose: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const permutation = node.attributes.ints('perm') ?? x.shape.map((_, d) => x.shape.length - 1 - d);
  const axes = permutation.map((axis) => axisOf(axis, x.shape.length));
  if (new Set(axes).size !== x.shape.length) refuse(`${formatShape(permutation)} is no permutation of the axes`);
  return node.emit.rearrange(
    x,
    axes.map((axis) => x.shape[axis]),
    transposeIndex(x.shape, axes),
  );
};

/** The tensor with only these coordinates along one axis. */
function along(node: OperatorNode, x: Tensor, axis: number, coordinates: readonly number[]): Tensor {
  const shape = x.shape.map((size, d) => (d === axis ? coordinates.length : size));
  return node.emit.rearrange(x, shape, replaceAxis(x.shape, axis, coordinates));
}

/** https://onnx.ai/onnx/operators/onnx__Slice.html: attributes before opset 10, inputs since */
export const slice: OperatorRule = (node) => {
  const starts = integers(node, 'starts', 1) ?? refuse('starts are missing');
  const ends = integers(node, 'ends', 2) ?? refuse('ends are missing');
  const axes = integers(node, 'axes', 3) ?? starts.map((_, i) => i);
  const steps = integers(node, 'steps', 4) ?? starts.map(() => 1);
  let x = inputAt(node, 0);
  axes.forEach((given, i) => {
    const axis = axisOf(given, x.shape.length);
    x = along(node, x, axis, sliceCoordinates(x.shape[axis], starts[i], ends[i], steps[i]));
  });
  if (elements(x.shape) === 0) refuse('keeps nothing');
  return x;
};

/** The coordinates from start to before end; negative ones count from the end, and both are clamped (as in numpy). */
function sliceCoordinates(size: number, start: number, end: number, step: number): number[] {
  if (step === 0) refuse('step 0');
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (value: number): number => Math.min(Math.max(value < 0 ? value + size : value, low), high);
  const first = Math.max(clamp(start), step > 0 ? 0 : Math.min(0, size - 1));
  const count = Math.max(0, Math.ceil((clamp(end) - first) / step));
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/** https://onnx.ai/onnx/operators/onnx__Split.html: parts from the attribute, the input, or equal ones */
export const split: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const axis = axisOf(node.attributes.int('axis', 0), x.shape.length);
  const parts = node.attributes.int('num_outputs', node.outputs);
  const even = Math.ceil(x.shape[axis] / parts);
  const sizes =
    integers(node, 'split', 1) ?? Array.from({ length: parts }, (_, i) => Math.min(even, x.shape[axis] - i * even));
  if (sizes.reduce((a, b) => a + b, 0) !== x.shape[axis] || sizes.some((size) => size < 1)) {
    refuse(`axis of size ${x.shape[axis]} cannot be split into ${formatShape(sizes)}`);
  }
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return along(
      node,
      x,
      axis,
      wholeAxis(size, 1).map((o) => start - size + o),
    );
  });
};

/** https://onnx.ai/onnx/operators/onnx__Gather.html with constant indices */
export const gather: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const indices = constantAt(node, 1, 'the index');
  const axis = axisOf(node.attributes.int('axis', 0), x.shape.length);
  const coordinates = Array.from(indices.data, (given) => axisOf(given, x.shape[axis]));
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return node.emit.rearrange(x, shape, replaceAxis(x.shape, axis, coordinates));
};

/** https://onnx.ai/onnx/operators/onnx__Expand.html */
export const expand: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  return expandTo(node.emit, x, broadcastShape(x.shape, [...constantAt(node, 1, 'the shape').data]));
};

/** https://onnx.ai/onnx/operators/onnx__Tile.html */
export const tile: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const repeats = [...constantAt(node, 1, 'repeats').data];
  const shape = x.shape.map((size, d) => size * repeats[d]);
  const step = strides(x.shape);
  const offsets = shape.map((size, d) => Array.from({ length: allowed(size) }, (_, o) => (o % x.shape[d]) * step[d]));
  return node.emit.rearrange(x, shape, gatherIndex(offsets));
};

/** https://onnx.ai/onnx/operators/onnx__Concat.html, of network values and constants */
export const concat: OperatorRule = (node) => {
  const tensors = node.inputs.map((_, i) => inputAt(node, i));
  const axis = axisOf(node.attributes.int('axis', 1), tensors[0].shape.length);
  const shape = tensors[0].shape.map((size, d) => (d === axis ? tensors.reduce((n, t) => n + t.shape[d], 0) : size));
  let start = 0;
  const pieces = tensors.map((tensor) => {
    const fits =
      tensor.shape.length === shape.length && shape.every((size, d) => d === axis || size === tensor.shape[d]);
    if (!fits) refuse(`${formatShape(tensor.shape)} does not fit beside ${formatShape(tensors[0].shape)}`);
    const first = start;
    start += tensor.shape[axis];
    const inside = (o: number): number => (o >= first && o < first + tensor.shape[axis] ? o - first : -1);
    const step = strides(tensor.shape);
    const offsets = shape.map((size, d) =>
      d === axis ? wholeAxis(size, 1).map((o) => (inside(o) < 0 ? -1 : inside(o) * step[d])) : wholeAxis(size, step[d]),
    );
    return { tensor, index: gatherIndex(offsets) };
  });
  const isConstant = tensors.every(({ kind }) => kind === 'constant');
  const fixed = new Float64Array(elements(shape));
  for (const { tensor, index } of pieces) {
    if (tensor.kind === 'variable') continue;
    const data = isConstant ? tensor.data : weights(tensor, 'a constant part');
    index.forEach((source, i) => {
      if (source >= 0) fixed[i] = data[source];
    });
  }
  const [first] = tensors;
  if (first.kind === 'constant' && isConstant) return constant(first.type, shape, fixed);
  const parts = pieces.flatMap(({ tensor, index }) => (tensor.kind === 'variable' ? [{ source: tensor, index }] : []));
  return collect(node.emit, shape, parts, fixed.some((value) => value !== 0) ? fixed : undefined);
};
