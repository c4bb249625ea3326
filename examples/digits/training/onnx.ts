import { encodeModel, type NodeProto, type TensorProto } from '../../../lib/network/protobuf';
import { attributes, floatTensor, tensorInfo } from '../../../lib/network/tensor';
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
      attribute: attributes({ axis: 1 }),
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
      input: [tensorInfo('image', ['N', ...inputShape])],
      output: [tensorInfo('scores', ['N', model[model.length - 1].outputSize])],
    },
  });
}

function emit(layer: Layer, name: string, input: string, output: string): Emitted {
  if (layer.kind === 'relu') {
    return { nodes: [{ name, opType: 'Relu', input: [input], output: [output] }], initializers: [] };
  }
  const names = [`${name}.weight`, `${name}.bias`];
  const common = { name, input: [input, ...names], output: [output] };
  if (layer.kind === 'dense') {
    return {
      nodes: [{ ...common, opType: 'Gemm', attribute: attributes({ transB: 1 }) }],
      initializers: [
        floatTensor(names[0], [layer.outputSize, layer.inputSize], Float32Array.from(layer.weight.value)),
        floatTensor(names[1], [layer.outputSize], Float32Array.from(layer.bias.value)),
      ],
    };
  }
  const { inChannels, outChannels, kernel, stride, pad } = layer.conv;
  const attribute = attributes({
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  });
  return {
    nodes: [{ ...common, opType: 'Conv', attribute }],
    initializers: [
      floatTensor(names[0], [outChannels, inChannels, kernel, kernel], Float32Array.from(layer.weight.value)),
      floatTensor(names[1], [outChannels], Float32Array.from(layer.bias.value)),
    ],
  };
}
