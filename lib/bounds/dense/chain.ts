import { type DenseNode, type Network, type NodeId, reluNodes } from '../../network/network';
import type { Arena } from '../arena';
import { type GatherRows, gathererIn, gatherPlainly } from './gather';
import { columnNorms } from './gram';

/**
 * A network that is nothing but dense layers with ReLUs between them: z_0 = W_0 x + b_0, z_k = W_k relu(z_(k-1)) + b_k; the last layer is the
 * output. Its balls are bounded on networks compacted to their own active neurons (compact.ts).
 */
export interface DenseChain {
  readonly layers: readonly ChainLayer[];
  readonly inputSize: number;
  /** Rows of the first weights, [inputSize] each, in the same memory: making such a view takes longer than copying it. */
  readonly inputRows: readonly Float32Array[];
  /** See gram.ts. */
  readonly columnNorms: Float64Array;
  /** Whether weights may be stored times a slope (lines.ts): none but 0 is so small that digits would be lost. */
  readonly isScalable: boolean;
  readonly gatherRows: GatherRows;
}

export interface ChainLayer {
  /** The dense node, and the ReLU that reads it (undefined for the output). */
  readonly node: NodeId;
  readonly relu: NodeId | undefined;
  readonly size: number;
  /** [size, size of the layer before], float32 as the programs use them. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** Widest input whose underflow the error weights cover; docs/soundness.md, "Compacted networks". */
const widestInput = 2 ** 15;

/**
 * The least absolute value of a weight that is not 0: its products with the slopes that it is stored with (lines.ts) stay far from where float32
 * has fewer digits.
 */
const leastWeight = 2 ** -90;

/** The network as a chain, or undefined where it is none. */
export function denseChain(network: Network): DenseChain | undefined {
  const layers: ChainLayer[] = [];
  const relus = reluNodes(network);
  let before: NodeId = 0;
  for (const end of [...relus, undefined]) {
    const relu = end === undefined ? undefined : network.nodes[end];
    const id: NodeId = relu?.kind === 'relu' ? relu.from : network.output;
    const node = network.nodes[id];
    if (node.kind !== 'dense' || node.from !== before) return undefined;
    layers.push(chainLayer(node, id, end));
    if (end !== undefined) before = end;
  }
  if (layers.length < 2 || network.inputSize > widestInput) return undefined;
  const { inputSize } = network;
  const { weight, size } = layers[0];
  const inputRows = Array.from({ length: size }, (_, j) => weight.subarray(j * inputSize, (j + 1) * inputSize));
  const isScalable = layers.every(({ node }) => hasOnlyLargeWeights(network, node));
  const norms = columnNorms(weight, inputSize);
  return { layers, inputSize, inputRows, columnNorms: norms, isScalable, gatherRows: gatherPlainly };
}

/** The same chain, with its weights in the arena, as far as they have room there. */
export function inArena(chain: DenseChain, arena: Arena): DenseChain {
  const placed = (values: Float32Array): Float32Array => {
    const own = arena.take(values.length);
    own?.set(values);
    return own ?? values;
  };
  // The first weights are multiplied by the input, never gathered here.
  const [first, ...others] = chain.layers;
  const layers = others.map((layer) => ({ ...layer, weight: placed(layer.weight), bias: placed(layer.bias) }));
  return { ...chain, layers: [first, ...layers], gatherRows: gathererIn(arena) };
}

function hasOnlyLargeWeights({ nodes }: Network, id: NodeId): boolean {
  const node = nodes[id];
  return node.kind === 'dense' && node.weight.every((w) => w === 0 || Math.abs(w) >= leastWeight);
}

function chainLayer(node: DenseNode, id: NodeId, relu: NodeId | undefined): ChainLayer {
  return {
    node: id,
    relu,
    size: node.size,
    weight: Float32Array.from(node.weight),
    bias: Float32Array.from(node.bias),
  };
}
