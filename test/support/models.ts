import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { encodeModel, type NodeProto, type TensorProto } from '../../lib/network/protobuf';
import { type AttributeInput, attributes, floatTensor, tensorInfo } from '../../lib/network/tensor';

/** Draws float32 values uniformly from [-range, range], seeded. */
export function uniform(seed: number): (count: number, range?: number) => Float32Array {
  const generator = xoroshiro128plus(seed);
  return (count, range = 1) => Float32Array.from({ length: count }, () => range * (2 * uniformFloat64(generator) - 1));
}

/** A node from its operator, inputs, outputs and plain attributes. */
export function node(
  opType: string,
  input: readonly string[],
  output: string | readonly string[],
  attribute: { readonly [name: string]: AttributeInput } = {},
  name = '',
): NodeProto {
  return {
    opType,
    input,
    output: typeof output === 'string' ? [output] : output,
    attribute: attributes(attribute),
    name,
  };
}

export interface GraphOptions {
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  /** Shape of the input `x`; a string is a free dimension. */
  readonly input: readonly (number | string)[];
  /** Shape of the output `y`. */
  readonly output: readonly (number | string)[];
  readonly opset?: number;
}

/** An ONNX file with input `x` and output `y`. */
export function modelBytes({ nodes, initializers = [], input, output, opset = 17 }: GraphOptions): Uint8Array {
  return encodeModel({
    irVersion: opset < 9 ? 3 : opset < 15 ? 7 : 8,
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: 'test',
      node: nodes,
      initializer: initializers,
      input: [
        tensorInfo('x', input),
        // Before IR version 4 every initializer is also an input.
        ...(opset < 9
          ? initializers.map(({ name, dims, dataType }) => tensorInfo(name ?? '', dims ?? [], dataType))
          : []),
      ],
      output: [tensorInfo('y', output)],
    },
  });
}

/** Weights scaled so that values keep their size from layer to layer. */
const scaleFor = (inputs: number): number => Math.sqrt(3 / inputs);

/** A fully connected ReLU net; `sizes` runs from the input to the classes. Input [batch, sizes[0]]. */
export function randomMlp(sizes: readonly number[], seed: number): Uint8Array {
  const draw = uniform(seed);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let from = 'x';
  for (let layer = 1; layer < sizes.length; layer++) {
    const [inputs, outputs] = [sizes[layer - 1], sizes[layer]];
    const last = layer === sizes.length - 1;
    initializers.push(floatTensor(`w${layer}`, [outputs, inputs], draw(outputs * inputs, scaleFor(inputs))));
    initializers.push(floatTensor(`b${layer}`, [outputs], draw(outputs, 0.3)));
    nodes.push(node('Gemm', [from, `w${layer}`, `b${layer}`], last ? 'y' : `z${layer}`, { transB: 1 }));
    if (!last) nodes.push(node('Relu', [`z${layer}`], `h${layer}`));
    from = `h${layer}`;
  }
  return modelBytes({ nodes, initializers, input: ['batch', sizes[0]], output: ['batch', sizes[sizes.length - 1]] });
}

export interface ConvNetOptions {
  /** channels, height, width */
  readonly input?: readonly [number, number, number];
  /** Output channels of each convolution (3 x 3, stride 2, padding 1). */
  readonly channels?: readonly number[];
  readonly hidden?: number;
  readonly classes?: number;
}

/** Convolutions with ReLU, then two dense layers. Input [batch, channels, height, width]. */
export function randomConvNet(
  seed: number,
  { input = [1, 8, 8], channels = [4, 6], hidden = 10, classes = 3 }: ConvNetOptions = {},
): Uint8Array {
  const draw = uniform(seed);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let [depth, height, width] = input;
  let from = 'x';
  channels.forEach((out, i) => {
    initializers.push(floatTensor(`k${i}`, [out, depth, 3, 3], draw(out * depth * 9, scaleFor(depth * 9))));
    initializers.push(floatTensor(`c${i}`, [out], draw(out, 0.2)));
    nodes.push(node('Conv', [from, `k${i}`, `c${i}`], `z${i}`, { strides: [2, 2], pads: [1, 1, 1, 1] }));
    nodes.push(node('Relu', [`z${i}`], `h${i}`));
    [depth, height, width, from] = [out, Math.ceil(height / 2), Math.ceil(width / 2), `h${i}`];
  });
  const features = depth * height * width;
  initializers.push(floatTensor('w1', [hidden, features], draw(hidden * features, scaleFor(features))));
  initializers.push(floatTensor('b1', [hidden], draw(hidden, 0.3)));
  initializers.push(floatTensor('w2', [classes, hidden], draw(classes * hidden, scaleFor(hidden))));
  initializers.push(floatTensor('b2', [classes], draw(classes, 0.3)));
  nodes.push(node('Flatten', [from], 'flat'));
  nodes.push(node('Gemm', ['flat', 'w1', 'b1'], 'z', { transB: 1 }), node('Relu', ['z'], 'h'));
  nodes.push(node('Gemm', ['h', 'w2', 'b2'], 'y', { transB: 1 }));
  return modelBytes({ nodes, initializers, input: ['batch', ...input], output: ['batch', classes] });
}

/** Two residual blocks of two 3 x 3 convolutions on [4, 5, 5], then a dense layer. */
export function randomResidualNet(seed: number, classes = 3): Uint8Array {
  const draw = uniform(seed);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const conv = (from: string, to: string, inChannels: number): void => {
    initializers.push(floatTensor(`${to}.w`, [4, inChannels, 3, 3], draw(36 * inChannels, scaleFor(9 * inChannels))));
    initializers.push(floatTensor(`${to}.b`, [4], draw(4, 0.2)));
    nodes.push(node('Conv', [from, `${to}.w`, `${to}.b`], to, { pads: [1, 1, 1, 1] }));
  };
  conv('x', 'stem', 2);
  nodes.push(node('Relu', ['stem'], 'h0'));
  for (const block of [1, 2]) {
    conv(`h${block - 1}`, `p${block}`, 4);
    nodes.push(node('Relu', [`p${block}`], `q${block}`));
    conv(`q${block}`, `r${block}`, 4);
    nodes.push(node('Add', [`r${block}`, `h${block - 1}`], `s${block}`), node('Relu', [`s${block}`], `h${block}`));
  }
  initializers.push(floatTensor('w', [classes, 100], draw(classes * 100, scaleFor(100))));
  initializers.push(floatTensor('b', [classes], draw(classes, 0.3)));
  nodes.push(node('Flatten', ['h2'], 'flat'), node('Gemm', ['flat', 'w', 'b'], 'y', { transB: 1 }));
  return modelBytes({ nodes, initializers, input: ['batch', 2, 5, 5], output: ['batch', classes] });
}
