import protobuf from 'protobufjs/light';

/**
 * The part of onnx.proto (github.com/onnx/onnx, IR version 3 to 13) that a feed-forward network uses, field numbers as
 * there. Unknown fields are skipped on reading. The same descriptors write models.
 */
export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly graph?: GraphProto;
  readonly opsetImport?: readonly OperatorSetIdProto[];
}

export interface OperatorSetIdProto {
  readonly domain?: string;
  readonly version?: number;
}

export interface GraphProto {
  readonly name?: string;
  readonly node?: readonly NodeProto[];
  readonly initializer?: readonly TensorProto[];
  readonly input?: readonly ValueInfoProto[];
  readonly output?: readonly ValueInfoProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
  readonly sparseInitializer?: readonly object[];
}

export interface NodeProto {
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  /** Names of tensors; an omitted optional input is the empty string. */
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly attribute?: readonly AttributeProto[];
}

export interface AttributeProto {
  readonly name?: string;
  /** One of `AttributeType`. */
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
  readonly refAttrName?: string;
}

export const AttributeType = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

export interface TensorProto {
  readonly name?: string;
  readonly dims?: readonly number[];
  /** One of `DataType`. */
  readonly dataType?: number;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly number[];
  readonly doubleData?: readonly number[];
  readonly uint64Data?: readonly number[];
  /** Little endian. */
  readonly rawData?: Uint8Array;
  readonly externalData?: readonly { readonly key?: string; readonly value?: string }[];
  /** 1: the values are in another file. */
  readonly dataLocation?: number;
}

export const DataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** `float` for 1, and so on; the number itself for a type that has no name here. */
export function dataTypeName(type: number | undefined): string {
  return Object.entries(DataType).find(([, value]) => value === type)?.[0] ?? `type ${type ?? 0}`;
}

const floatingPoint: readonly number[] = [DataType.float, DataType.double, DataType.float16, DataType.bfloat16];

export function isFloatingPoint(type: number): boolean {
  return floatingPoint.includes(type);
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: { readonly tensorType?: { readonly elemType?: number; readonly shape?: TensorShapeProto } };
}

export interface TensorShapeProto {
  readonly dim?: readonly DimensionProto[];
}

/** Either a number, or a name for a size that is known only when the model runs, or neither (unknown). */
export interface DimensionProto {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

type FieldDescriptor = protobuf.IField;
const one = (type: string, id: number): FieldDescriptor => ({ type, id });
const many = (type: string, id: number): FieldDescriptor => ({ rule: 'repeated', type, id });
const packed = (type: string, id: number): FieldDescriptor => ({ ...many(type, id), options: { packed: true } });

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: one('int64', 1),
        producerName: one('string', 2),
        graph: one('GraphProto', 7),
        opsetImport: many('OperatorSetIdProto', 8),
      },
    },
    OperatorSetIdProto: { fields: { domain: one('string', 1), version: one('int64', 2) } },
    GraphProto: {
      fields: {
        node: many('NodeProto', 1),
        name: one('string', 2),
        initializer: many('TensorProto', 5),
        input: many('ValueInfoProto', 11),
        output: many('ValueInfoProto', 12),
        valueInfo: many('ValueInfoProto', 13),
        sparseInitializer: many('SparseTensorProto', 15),
      },
    },
    SparseTensorProto: { fields: {} },
    NodeProto: {
      fields: {
        input: many('string', 1),
        output: many('string', 2),
        name: one('string', 3),
        opType: one('string', 4),
        attribute: many('AttributeProto', 5),
        domain: one('string', 7),
      },
    },
    AttributeProto: {
      fields: {
        name: one('string', 1),
        f: one('float', 2),
        i: one('int64', 3),
        s: one('bytes', 4),
        t: one('TensorProto', 5),
        floats: many('float', 7),
        ints: many('int64', 8),
        strings: many('bytes', 9),
        type: one('int32', 20),
        refAttrName: one('string', 21),
      },
    },
    TensorProto: {
      fields: {
        dims: many('int64', 1),
        dataType: one('int32', 2),
        floatData: packed('float', 4),
        int32Data: packed('int32', 5),
        int64Data: packed('int64', 7),
        name: one('string', 8),
        rawData: one('bytes', 9),
        doubleData: packed('double', 10),
        uint64Data: packed('uint64', 11),
        externalData: many('StringStringEntryProto', 13),
        dataLocation: one('int32', 14),
      },
    },
    StringStringEntryProto: { fields: { key: one('string', 1), value: one('string', 2) } },
    ValueInfoProto: { fields: { name: one('string', 1), type: one('TypeProto', 2) } },
    TypeProto: { fields: { tensorType: one('TensorTypeProto', 1) } },
    TensorTypeProto: { fields: { elemType: one('int32', 1), shape: one('TensorShapeProto', 2) } },
    TensorShapeProto: { fields: { dim: many('DimensionProto', 1) } },
    DimensionProto: { fields: { dimValue: one('int64', 1), dimParam: one('string', 2) } },
  },
});
const model = root.lookupType('ModelProto');

/**
 * Decodes an ONNX file. Absent fields are absent in the result; int64 values come as numbers (exact to 2^53; the
 * "to the end" markers near 2^63 stay huge). Throws protobufjs's error when the bytes are not such a message.
 */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return model.toObject(model.decode(bytes), { longs: Number, arrays: false });
}

/** Encodes a model as an ONNX file. */
export function encodeModel(message: ModelProto): Uint8Array {
  return model.encode(message as { [field: string]: unknown }).finish();
}
