import { networkLimits } from './limits';
import type { NodeId, Shape } from './network';
import { DataType, dataTypeName } from './protobuf';

/** A tensor whose values are known when the file is read. Integers and booleans are kept as numbers. */
export interface ConstantTensor {
  readonly kind: 'constant';
  /** One of `DataType`. */
  readonly type: number;
  readonly shape: Shape;
  /** Row-major, `elements(shape)` values. */
  readonly data: Float64Array;
}

/** A float32 tensor that depends on the network's input, with its full ONNX shape for a batch of one. */
export interface VariableTensor {
  readonly kind: 'variable';
  readonly shape: Shape;
  /** The node of the normal form that holds the values, row-major. */
  readonly node: NodeId;
}

export type Tensor = ConstantTensor | VariableTensor;

/** Why one node of the file cannot be read; the reader adds the node's name and collects these. */
export class RefusedNode extends Error {
  override readonly name = 'RefusedNode';
}

export function refuse(reason: string): never {
  throw new RefusedNode(reason);
}

/** Number of values of a tensor of this shape; refused above `networkLimits`, before memory is taken for them. */
export function elements(shape: Shape): number {
  return allowed(shape.reduce((product, size) => product * size, 1));
}

/** The number of values of a tensor that is to be made; refused where no network needs so many. */
export function allowed(count: number): number {
  if (count <= networkLimits.tensorValues) return count;
  return refuse(`needs a tensor of ${count} values; at most ${networkLimits.tensorValues} are possible`);
}

export function constant(type: number, shape: Shape, data: ArrayLike<number>): ConstantTensor {
  return { kind: 'constant', type, shape, data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A constant that enters the arithmetic of the network: float32 and finite, so that it is exact in the normal form. */
export function weights(tensor: ConstantTensor, what: string): Float64Array {
  if (tensor.type !== DataType.float) {
    refuse(
      `${what} is ${dataTypeName(tensor.type)}; only float (float32) networks are read, export the model as float32`,
    );
  }
  if (!tensor.data.every(Number.isFinite)) refuse(`${what} holds a value that is not finite`);
  return tensor.data;
}

export function expectConstant(tensor: Tensor | undefined, what: string): ConstantTensor {
  if (tensor === undefined) return refuse(`${what} is missing`);
  if (tensor.kind === 'variable') return refuse(`${what} depends on the network's input; it must be constant`);
  return tensor;
}

export function expectVariable(tensor: Tensor | undefined, what: string): VariableTensor {
  if (tensor === undefined) return refuse(`${what} is missing`);
  if (tensor.kind === 'constant') return refuse(`${what} is a constant; this operator is read only on network values`);
  return tensor;
}

/** An axis of ONNX counted from the end when negative. */
export function axisOf(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(result) || result < 0 || result >= Math.max(rank, 1)) {
    refuse(`axis ${axis} does not exist in a tensor of rank ${rank}`);
  }
  return result;
}
