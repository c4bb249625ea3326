import {
  type AttributeProto,
  AttributeType,
  DataType,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../../lib/network/protobuf';
import type { Layer } from './layers';
import type { Model } from './model';

interface Emitted {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/**
 * The model as an ONNX file (opset 17, float32): input `image` [N, ...inputShape], output `scores` [N, classes], N free.
 * Images are flattened before the first dense layer.
 */
export function toOnnx(model: Model, name: string, inputShape: readonly number[]): Uint8Array {
  const firstDense = model.findIndex(({ kind }) => kind === 'dense');
  const parts = model.map((layer, i): Emitted => {
    const [input, output] = [i === 0 ? 'image' : `value${i}`, i + 1 === model.length ? 'scores' : `value${i + 1}`];
    if (i !== firstDense) return emit(layer, `layer${i + 1}`, input, output);
    const flat: NodeProto = {
      name: 'flatten',
      opType: 'Flatten',
      input: [input],
      output: ['flat'],
      attribute: [int('axis', 1)],
    };
    const dense = emit(layer, `layer${i + 1}`, 'flat', output);
    return { nodes: [flat, ...dense.nodes], initializers: dense.initializers };
  });
  return encodeModel({
    irVersion: 8,
    producerName: 'baverly-digits',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name,
      node: parts.flatMap(({ nodes }) => nodes),
      initializer: parts.flatMap(({ initializers }) => initializers),
      input: [floats('image', inputShape)],
      output: [floats('scores', [model[model.length - 1].outputSize])],
    },
  });
}

function emit(layer: Layer, name: string, input: string, output: string): Emitted {
  if (layer.kind === 'relu')
    return { nodes: [{ name, opType: 'Relu', input: [input], output: [output] }], initializers: [] };
  const names = [`${name}.weight`, `${name}.bias`];
  const common = { name, input: [input, ...names], output: [output] };
  if (layer.kind === 'dense') {
    return {
      nodes: [{ ...common, opType: 'Gemm', attribute: [int('transB', 1)] }],
      initializers: [
        tensor(names[0], [layer.outputSize, layer.inputSize], layer.weight.value),
        tensor(names[1], [layer.outputSize], layer.bias.value),
      ],
    };
  }
  const { inChannels, outChannels, kernel, stride, pad } = layer.conv;
  const attribute = [
    ints('kernel_shape', [kernel, kernel]),
    ints('strides', [stride, stride]),
    ints('pads', [pad, pad, pad, pad]),
  ];
  return {
    nodes: [{ ...common, opType: 'Conv', attribute }],
    initializers: [
      tensor(names[0], [outChannels, inChannels, kernel, kernel], layer.weight.value),
      tensor(names[1], [outChannels], layer.bias.value),
    ],
  };
}

function int(name: string, value: number): AttributeProto {
  return { name, type: AttributeType.int, i: value };
}

function ints(name: string, values: readonly number[]): AttributeProto {
  return { name, type: AttributeType.ints, ints: values };
}

function tensor(name: string, dims: readonly number[], values: Float64Array): TensorProto {
  const rawData = Buffer.alloc(4 * values.length);
  for (let i = 0; i < values.length; i++) rawData.writeFloatLE(values[i], 4 * i);
  return { name, dims, dataType: DataType.float, rawData };
}

function floats(name: string, shape: readonly number[]): ValueInfoProto {
  const dim = [{ dimParam: 'N' }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: DataType.float, shape: { dim } } } };
}
