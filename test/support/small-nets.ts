import type { NodeProto, TensorProto } from '../../lib/network/protobuf';
import { floatTensor } from '../../lib/network/tensor';
import { random } from '../../lib/random';
import { modelBytes, node, randomConvNet, randomMlp, uniform } from './models';

/** Nets of up to thirty ReLUs, small enough to enumerate their activation patterns. */
export const smallNets: readonly { readonly kind: string; readonly make: (seed: number) => Uint8Array }[] = [
  { kind: 'dense', make: denseNet },
  {
    kind: 'conv',
    make: (seed) => randomConvNet(seed, { input: [1, 4, 4], channels: [3], hidden: 4 + (seed % 9), classes: 3 }),
  },
  { kind: 'residual', make: residualNet },
  { kind: 'dyadic', make: dyadicNet },
];

function denseNet(seed: number): Uint8Array {
  const rng = random(seed, 1);
  const hidden = Array.from({ length: 1 + rng.int(3) }, () => 3 + rng.int(8));
  return randomMlp([2 + rng.int(4), ...hidden, 2 + rng.int(3)], seed);
}

/** Two convolutions of [1, 3, 3] with a residual connection around the second, then dense. */
function residualNet(seed: number): Uint8Array {
  const draw = uniform(seed);
  const initializers: TensorProto[] = [];
  const store = (name: string, dims: number[], range: number): string => {
    const count = dims.reduce((a, b) => a * b, 1);
    initializers.push(floatTensor(name, dims, draw(count, range)));
    return name;
  };
  const conv = (from: string, to: string): NodeProto =>
    node('Conv', [from, store(`${to}.w`, [1, 1, 3, 3], 0.8), store(`${to}.b`, [1], 0.2)], to, { pads: [1, 1, 1, 1] });
  const nodes = [
    conv('x', 'p'),
    node('Relu', ['p'], 'q'),
    conv('q', 'r'),
    node('Relu', ['r'], 's'),
    conv('s', 't'),
    node('Add', ['t', 'q'], 'u'),
    node('Relu', ['u'], 'v'),
    node('Flatten', ['v'], 'f'),
    node('Gemm', ['f', store('w', [3, 9], 0.6), store('b', [3], 0.3)], 'y', { transB: 1 }),
  ];
  return modelBytes({ nodes, initializers, input: ['batch', 1, 3, 3], output: ['batch', 3] });
}

/** A dense net whose weights are multiples of 1/4: at dyadic points every value is exact, so ties can be exact as well. */
function dyadicNet(seed: number): Uint8Array {
  const rng = random(seed, 2);
  const sizes = [2 + rng.int(3), 4 + rng.int(6), 3 + rng.int(4), 2 + rng.int(2)];
  const quarters = (count: number): Float32Array => Float32Array.from({ length: count }, () => (rng.int(9) - 4) / 4);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  for (let layer = 1; layer < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer - 1], sizes[layer]];
    initializers.push(floatTensor(`w${layer}`, [outputs, inputs], quarters(outputs * inputs)));
    initializers.push(floatTensor(`b${layer}`, [outputs], quarters(outputs)));
    const last = layer === sizes.length - 1;
    nodes.push(
      node('Gemm', [layer === 1 ? 'x' : `h${layer - 1}`, `w${layer}`, `b${layer}`], last ? 'y' : `z${layer}`, {
        transB: 1,
      }),
    );
    if (!last) nodes.push(node('Relu', [`z${layer}`], `h${layer}`));
  }
  return modelBytes({ nodes, initializers, input: ['batch', sizes[0]], output: ['batch', sizes[sizes.length - 1]] });
}
