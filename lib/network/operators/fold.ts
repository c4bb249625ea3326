import { readConstant } from '../constants';
import { broadcastIndex, broadcastShape } from '../indexing';
import { DataType, isFloatingPoint } from '../protobuf';
import { allowed, constant, elements, refuse, weights } from '../values';
import { collect, type Part } from './collect';
import { foldConstants } from './elementwise';
import { constantAt, inputAt, type OperatorRule } from './rule';

/** Operators of the sub-graphs in which exporters compute shapes: their results are known when the file is read. */

/** https://onnx.ai/onnx/operators/onnx__Shape.html: the batch counts as one */
export const shapeOf: OperatorRule = (node) => {
  const { shape } = inputAt(node, 0);
  const part = shape.slice(node.attributes.int('start', 0), node.attributes.int('end', shape.length));
  return constant(DataType.int64, [part.length], part);
};

export const sizeOf: OperatorRule = (node) => constant(DataType.int64, [], [elements(inputAt(node, 0).shape)]);

/** https://onnx.ai/onnx/operators/onnx__Cast.html: constants are converted, network values stay float32 */
export const cast: OperatorRule = (node) => {
  const x = inputAt(node, 0);
  const to = node.attributes.int('to', 0);
  if (x.kind === 'variable')
    return to === DataType.float ? x : refuse('changes the type of a value that depends on the input');
  return { ...x, type: to, data: x.data.map(converter(to)) };
};

function converter(type: number): (value: number) => number {
  if (type === DataType.bool) return (value) => (value === 0 ? 0 : 1);
  if (type === DataType.float) return Math.fround;
  if (type === DataType.double) return (value) => value;
  if (isFloatingPoint(type)) return refuse('converts to a 16-bit type');
  return Math.trunc;
}

/** https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html */
export const constantOfShape: OperatorRule = (node) => {
  const shape = [...constantAt(node, 0).data];
  const tensor = node.attributes.tensor('value');
  const value = tensor ? readConstant(tensor) : constant(DataType.float, [1], [0]);
  return constant(value.type, shape, new Float64Array(elements(shape)).fill(value.data[0]));
};

/** https://onnx.ai/onnx/operators/onnx__Range.html */
export const range: OperatorRule = (node) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => constantAt(node, i).data[0]);
  const count = allowed(Math.max(0, Math.ceil((limit - start) / delta)));
  return constant(
    constantAt(node, 0).type,
    [count],
    Array.from({ length: count }, (_, i) => start + i * delta),
  );
};

/** https://onnx.ai/onnx/operators/onnx__Where.html with a constant condition, between constants or network values */
export const where: OperatorRule = (node) => {
  const condition = constantAt(node, 0, 'the condition');
  const [yes, no] = [inputAt(node, 1), inputAt(node, 2)];
  const shape = broadcastShape(condition.shape, broadcastShape(yes.shape, no.shape));
  const chosen = Array.from(broadcastIndex(condition.shape, shape), (i) => condition.data[i] !== 0);
  const fixed = new Float64Array(elements(shape));
  const parts = [yes, no].flatMap((tensor, branch): readonly Part[] => {
    const index = broadcastIndex(tensor.shape, shape).map((source, i) => (chosen[i] === (branch === 0) ? source : -1));
    if (tensor.kind === 'variable') return [{ source: tensor, index }];
    index.forEach((source, i) => {
      if (source >= 0) fixed[i] = tensor.data[source];
    });
    return [];
  });
  if (yes.kind === 'constant' && no.kind === 'constant') return constant(yes.type, shape, fixed);
  for (const tensor of [yes, no]) if (tensor.kind === 'constant') weights(tensor, 'the constant branch');
  return collect(node.emit, shape, parts, fixed);
};

/** A function of one constant, value by value. */
export const unary =
  (apply: (value: number) => number): OperatorRule =>
  (node) => {
    const x = constantAt(node, 0);
    return { ...x, data: x.data.map(apply) };
  };

/** A function of two constants with broadcasting, in the type of the first one. */
export const binary =
  (apply: (a: number, b: number) => number): OperatorRule =>
  (node) =>
    foldConstants(constantAt(node, 0), constantAt(node, 1), apply);

/** A comparison of two constants with broadcasting. */
export const comparison =
  (holds: (a: number, b: number) => boolean): OperatorRule =>
  (node) =>
    foldConstants(constantAt(node, 0), constantAt(node, 1), (a, b) => (holds(a, b) ? 1 : 0), DataType.bool);
