import type { ConvNode, DenseNode, Network, NodeId, SelectNode } from '../network/network';
import type { GraphBuilder, Value } from './graph';
import { float32Magnitude } from './rounding';

/** The weights themselves, or their absolute values (for radii and error bounds). */
export type WeightPart = 'signed' | 'absolute';

/** Applies an affine node with one input to values [B, inSize]; without its bias where `withBias` is false. */
export function forwardAffine(
  graph: GraphBuilder,
  node: DenseNode | ConvNode | SelectNode,
  value: Value,
  part: WeightPart,
  withBias: boolean,
): Value {
  const weights = (w: Float64Array): Float64Array => (part === 'signed' ? w : w.map(float32Magnitude));
  const bias = withBias && node.bias ? weights(node.bias) : undefined;
  const shifted = (product: Value): Value =>
    bias ? graph.node('Add', [product, graph.floats(bias, [1, node.size])]) : product;
  if (node.kind === 'conv') return forwardConv(graph, node, value, weights(node.weight), bias);
  if (node.kind === 'dense') {
    const inSize = node.weight.length / node.size;
    const columns = transpose(weights(node.weight), node.size, inSize);
    return shifted(graph.node('MatMul', [value, graph.floats(columns, [inSize, node.size])]));
  }
  const used = Array.from(node.index, (i) => Math.max(i, 0));
  const gathered = gatherColumns(graph, value, graph.integers(used, [node.size]));
  const scale = Float64Array.from(node.index, (i, k) => (i < 0 ? 0 : (node.scale?.[k] ?? 1)));
  if (scale.every((s) => s === 1)) return shifted(gathered);
  return shifted(graph.node('Mul', [gathered, graph.floats(weights(scale), [1, node.size])]));
}

/**
 * Columns of a matrix (two dimensions) by an int64 index, taken as rows of its transpose: ONNX Runtime gathers columns number by number, in eight times as long.
 *
 * @param padded with a column of zeros at the end
 */
export function gatherColumns(graph: GraphBuilder, value: Value, index: Value, padded?: 'padded'): Value {
  const rows = padded ? zeroEnded(graph, turned(graph, value)) : turned(graph, value);
  return turned(graph, graph.node('Gather', [rows, index], { axis: 0 }));
}

function turned(graph: GraphBuilder, matrix: Value): Value {
  return graph.node('Transpose', [matrix], { perm: [1, 0] });
}

/** With a row of zeros at the end. */
function zeroEnded(graph: GraphBuilder, matrix: Value): Value {
  return graph.node('Pad', [matrix, graph.integers([0, 0, 1, 0], [4])], { mode: 'constant' });
}

/** A convolution of flat [B, size] values. */
function forwardConv(
  graph: GraphBuilder,
  node: ConvNode,
  value: Value,
  weight: Float64Array,
  bias: Float64Array | undefined,
): Value {
  const images = graph.reshape(value, [-1, ...node.inShape]);
  const inputs = [images, graph.floats(weight, [node.outShape[0], node.inShape[0] / node.groups, ...node.kernel])];
  if (bias) inputs.push(graph.floats(bias, [node.outShape[0]]));
  const out = graph.node('Conv', inputs, {
    kernel_shape: [...node.kernel],
    strides: [...node.strides],
    pads: [...node.pads],
    dilations: [...node.dilations],
    group: node.groups,
  });
  return graph.reshape(out, [-1, node.size]);
}

/** [rows, columns] row-major to [columns, rows]. */
function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = matrix[i * columns + j];
  return out;
}

/** What a backward step over one node yields. */
export interface BackwardStep {
  readonly coefficients: readonly (readonly [NodeId, Value])[];
  /** Terms of the row's constant, each [R, 1]. */
  readonly constants: readonly Value[];
}

/** Carries coefficients [R, size] on an affine node to what it reads. */
export function backwardAffine(graph: GraphBuilder, network: Network, id: NodeId, value: Value): BackwardStep {
  const node = network.nodes[id];
  switch (node.kind) {
    case 'dense': {
      const inSize = node.weight.length / node.size;
      const weight = graph.floats(node.weight, [node.size, inSize]);
      const bias = graph.floats(node.bias, [node.size, 1]);
      return {
        coefficients: [[node.from, graph.node('MatMul', [value, weight])]],
        constants: [graph.node('MatMul', [value, bias])],
      };
    }
    case 'conv':
      return backConv(graph, node, value);
    case 'select':
      return backSelect(graph, network, node, value);
    case 'add':
      return { coefficients: node.from.map((from) => [from, value] as const), constants: [] };
    default:
      throw new Error(`${node.kind} is not an affine node`);
  }
}

/** The transpose of a convolution; output padding makes up for input columns that the stride skips. */
function backConv(graph: GraphBuilder, node: ConvNode, value: Value): BackwardStep {
  const [outChannels, outHeight, outWidth] = node.outShape;
  const [inChannels, inHeight, inWidth] = node.inShape;
  const weight = graph.floats(node.weight, [outChannels, inChannels / node.groups, ...node.kernel]);
  const images = graph.reshape(value, [-1, outChannels, outHeight, outWidth]);
  const rest = (axis: 0 | 1, inLength: number, outLength: number): number =>
    inLength -
    ((outLength - 1) * node.strides[axis] -
      node.pads[axis] -
      node.pads[axis + 2] +
      node.dilations[axis] * (node.kernel[axis] - 1) +
      1);
  const back = graph.node('ConvTranspose', [images, weight], {
    kernel_shape: [...node.kernel],
    strides: [...node.strides],
    pads: [...node.pads],
    dilations: [...node.dilations],
    group: node.groups,
    output_padding: [rest(0, inHeight, outHeight), rest(1, inWidth, outWidth)],
  });
  const constants: Value[] = [];
  if (node.bias.some((b) => b !== 0)) {
    const area = outHeight * outWidth;
    const bias = Float64Array.from({ length: node.size }, (_, i) => node.bias[Math.floor(i / area)]);
    constants.push(graph.node('MatMul', [value, graph.floats(bias, [node.size, 1])]));
  }
  return { coefficients: [[node.from, graph.reshape(back, [-1, inChannels * inHeight * inWidth])]], constants };
}

/** Sends each output's coefficient to the input it came from; inputs that are read k times take k gathers. */
function backSelect(graph: GraphBuilder, network: Network, node: SelectNode, value: Value): BackwardStep {
  const constants: Value[] = [];
  if (node.bias?.some((b) => b !== 0)) {
    constants.push(graph.node('MatMul', [value, graph.floats(node.bias, [node.size, 1])]));
  }
  const scaled = node.scale ? graph.node('Mul', [value, graph.floats(node.scale, [1, node.size])]) : value;
  const inSize = network.nodes[node.from].size;
  // Zeros at position `size` stand for "read by nobody".
  const rows = zeroEnded(graph, turned(graph, scaled));
  const parts = inverseGathers(node, inSize).map((gather) =>
    graph.node('Gather', [rows, graph.integers(gather, [inSize])], { axis: 0 }),
  );
  if (parts.length === 0) return { coefficients: [], constants };
  const sum = parts.reduce((total, part) => graph.node('Add', [total, part]));
  return { coefficients: [[node.from, turned(graph, sum)]], constants };
}

/** For k = 0, 1, ...: which output reads each input for the k-th time (`size` where there is none). */
export function inverseGathers(node: SelectNode, inSize: number): number[][] {
  const gathers: number[][] = [];
  const seen = new Uint32Array(inSize);
  for (let out = 0; out < node.size; out++) {
    const from = node.index[out];
    if (from < 0) continue;
    const k = seen[from]++;
    gathers[k] ??= new Array<number>(inSize).fill(node.size);
    gathers[k][from] = out;
  }
  return gathers;
}
