import { type AttributeProto, AttributeType, DataType, type TensorProto, type ValueInfoProto } from './protobuf';

const littleEndianBytes = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** A float32 tensor for an initializer; the values are taken as they are, row-major. */
export function floatTensor(name: string, dims: readonly number[], values: Float32Array): TensorProto {
  return { name, dims, dataType: DataType.float, rawData: littleEndianBytes(values) };
}

/** A float64 tensor for an initializer. */
export function doubleTensor(name: string, dims: readonly number[], values: Float64Array): TensorProto {
  return { name, dims, dataType: DataType.double, rawData: littleEndianBytes(values) };
}

/** An int64 tensor for an initializer, one-dimensional unless `dims` says otherwise. */
export function int64Tensor(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): TensorProto {
  return { name, dims, dataType: DataType.int64, rawData: littleEndianBytes(BigInt64Array.from(values, BigInt)) };
}

/** What `attributes` makes attributes from: strings become STRING, arrays INTS, integers INT; see `floats` for the rest. */
export type AttributeInput =
  | string
  | number
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorProto };

/** Attributes of a node from a plain object: `attributes({ axis: 1, alpha: { float: 0.5 }, pads: [1, 1] })`. */
export function attributes(values: { readonly [name: string]: AttributeInput }): AttributeProto[] {
  return Object.entries(values).map(([name, value]) => {
    if (typeof value === 'string') return { name, type: AttributeType.string, s: new TextEncoder().encode(value) };
    if (typeof value === 'number') return { name, type: AttributeType.int, i: value };
    if ('float' in value) return { name, type: AttributeType.float, f: value.float };
    if ('floats' in value) return { name, type: AttributeType.floats, floats: value.floats };
    if ('tensor' in value) return { name, type: AttributeType.tensor, t: value.tensor };
    return { name, type: AttributeType.ints, ints: value };
  });
}

/** Declares a graph input or output; a string is the name of a free dimension. */
export function tensorInfo(
  name: string,
  dims: readonly (number | string)[],
  elemType: number = DataType.float,
): ValueInfoProto {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
