import { DataType, dataTypeName, type TensorProto } from './protobuf';
import { type ConstantTensor, constant, elements, formatShape, refuse } from './values';

type Reader = { readonly bytes: number; readonly get: (view: DataView, offset: number) => number };

const readers: { readonly [type: number]: Reader } = {
  [DataType.float]: { bytes: 4, get: (view, at) => view.getFloat32(at, true) },
  [DataType.double]: { bytes: 8, get: (view, at) => view.getFloat64(at, true) },
  [DataType.float16]: { bytes: 2, get: (view, at) => fromHalf(view.getUint16(at, true)) },
  [DataType.bfloat16]: { bytes: 2, get: (view, at) => fromBrainFloat(view.getUint16(at, true)) },
  [DataType.int8]: { bytes: 1, get: (view, at) => view.getInt8(at) },
  [DataType.uint8]: { bytes: 1, get: (view, at) => view.getUint8(at) },
  [DataType.bool]: { bytes: 1, get: (view, at) => view.getUint8(at) },
  [DataType.int16]: { bytes: 2, get: (view, at) => view.getInt16(at, true) },
  [DataType.uint16]: { bytes: 2, get: (view, at) => view.getUint16(at, true) },
  [DataType.int32]: { bytes: 4, get: (view, at) => view.getInt32(at, true) },
  [DataType.uint32]: { bytes: 4, get: (view, at) => view.getUint32(at, true) },
  [DataType.int64]: { bytes: 8, get: (view, at) => Number(view.getBigInt64(at, true)) },
  [DataType.uint64]: { bytes: 8, get: (view, at) => Number(view.getBigUint64(at, true)) },
};

/** IEEE 754 binary16, exactly. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** bfloat16 is the upper half of a float32. */
function fromBrainFloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits * 0x10000);
  return view.getFloat32(0);
}

/** The values of a tensor stored in the file, from `raw_data` or from the field of its type; refused where it cannot be. */
export function readConstant(tensor: TensorProto): ConstantTensor {
  const name = `tensor ${tensor.name || '(unnamed)'}`;
  const shape = tensor.dims ?? [];
  const type = tensor.dataType ?? 0;
  if (tensor.dataLocation === 1 || tensor.externalData?.length) {
    const file = tensor.externalData?.find(({ key }) => key === 'location')?.value ?? 'another file';
    refuse(
      `${name} is stored outside the model, in ${file}; save the model as one file (onnx.save without external data)`,
    );
  }
  const reader = readers[type];
  if (!reader) return refuse(`${name} has element type ${dataTypeName(type)}, which is not read`);
  const data = tensor.rawData?.length ? fromRaw(tensor.rawData, reader, name) : fromFields(tensor, type);
  if (data.length !== elements(shape)) {
    refuse(`${name} of shape ${formatShape(shape)} holds ${data.length} values instead of ${elements(shape)}`);
  }
  return constant(type, shape, data);
}

function fromRaw(raw: Uint8Array, { bytes, get }: Reader, name: string): Float64Array {
  if (raw.length % bytes !== 0) refuse(`${name} has ${raw.length} bytes of data, not a multiple of ${bytes}`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const data = new Float64Array(raw.length / bytes);
  for (let i = 0; i < data.length; i++) data[i] = get(view, i * bytes);
  return data;
}

/** Small types share int32_data, where the 16-bit floats stand as bit patterns (onnx.proto, TensorProto). */
function fromFields(tensor: TensorProto, type: number): ArrayLike<number> {
  switch (type) {
    case DataType.float:
      return tensor.floatData ?? [];
    case DataType.double:
      return tensor.doubleData ?? [];
    case DataType.int64:
      return tensor.int64Data ?? [];
    case DataType.uint32:
    case DataType.uint64:
      return tensor.uint64Data ?? [];
    case DataType.float16:
      return (tensor.int32Data ?? []).map(fromHalf);
    case DataType.bfloat16:
      return (tensor.int32Data ?? []).map(fromBrainFloat);
    default:
      return tensor.int32Data ?? [];
  }
}
