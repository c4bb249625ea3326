import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { floatTensor, int64Tensor } from '../../lib/network/tensor';
import { modelBytes, node, uniform } from './models';

/** A net of what becomes compositions of ReLU or several readers of one node; input [batch, 1, 6, 6], 3 classes. */
export function operatorNet(seed: number): Uint8Array {
  const draw = uniform(seed);
  const initializers: TensorProto[] = [
    floatTensor('k', [2, 1, 3, 3], draw(18, 0.6)),
    floatTensor('kb', [2], draw(2, 0.3)),
    floatTensor('w', [3, 36], draw(108, 0.3)),
    floatTensor('b', [3], draw(3, 0.3)),
    floatTensor('low', [], Float32Array.of(-0.5)),
    floatTensor('high', [], Float32Array.of(0.8)),
    int64Tensor('flat', [0, -1]),
  ];
  const nodes: NodeProto[] = [
    node('Conv', ['x', 'k', 'kb'], 'c', { pads: [1, 1, 1, 1] }),
    node('LeakyRelu', ['c'], 'l', { alpha: { float: 0.2 } }),
    node('MaxPool', ['l'], 'm', { kernel_shape: [2, 2], strides: [2, 2] }),
    node('AveragePool', ['c'], 'a', { kernel_shape: [2, 2], strides: [2, 2] }),
    node('Clip', ['a', 'low', 'high'], 'p'),
    node('Concat', ['m', 'p'], 'cat', { axis: 1 }),
    node('Reshape', ['cat', 'flat'], 'f'),
    node('Gemm', ['f', 'w', 'b'], 'y', { transB: 1 }),
  ];
  return modelBytes({ nodes, initializers, input: ['batch', 1, 6, 6], output: ['batch', 3] });
}
