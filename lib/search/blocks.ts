import { segmentOf } from '../bounds/segments';
import { type AffineRows, affineRows, convTerms, type SparseRow } from '../network/affine-rows';
import { foldErrorOf } from '../network/folding';
import { type Network, type NodeId, reluNodes } from '../network/network';

/** Where a layer's rows start: the input (-1) or a layer. */
export const inputBlock = -1;

/**
 * The network as layers of ReLUs with dense blocks between them: pre-activation_k = bias_k + sum over sources s of W_ks . s, where a source
 * is the input or an earlier layer. The last entry is the output, which has no ReLU. Any network of the normal form has this shape;
 * residual connections give a layer several sources.
 */
export interface Blocks {
  readonly network: Network;
  /** ReLU nodes in topological order; layer k is relus[k]. */
  readonly relus: readonly NodeId[];
  /** [relus.length + 1]: how each layer, and the output, is computed. */
  readonly layers: readonly BlockLayer[];
  /** Largest relative error that simplifying the network left in a weight or bias of it (folding.ts). */
  readonly weightError: number;
  /** The convolution that layer 0 is, where it is one of the input. */
  readonly conv?: NodeId;
  /** By layer and neuron, 1 where a neuron is left out because what reads it reads instead what it reads (fold.ts). */
  readonly folded?: readonly Uint8Array[];
}

export interface BlockLayer extends AffineRows {
  /** By source: `inputBlock` or the number of a layer. */
  readonly from: readonly number[];
  /** By row, where rows were composed once more (fold.ts): a bound of the sum of absolute values of all terms added up. */
  readonly absolute?: Float64Array;
}

/** Expands every segment of the network; done once per network, before its first search. */
export function blocksOf(network: Network): Blocks {
  const relus = reluNodes(network);
  const layerOf = new Map(relus.map((id, k) => [id, k]));
  const ends = [
    ...relus.map((id) => {
      const node = network.nodes[id];
      return node.kind === 'relu' ? node.from : id;
    }),
    network.output,
  ];
  const layers = ends.map((end) => {
    const { sources } = segmentOf(network, end);
    return {
      ...(singleRows(network, end, sources) ?? affineRows(network, end, sources)),
      from: sources.map((id) => layerOf.get(id) ?? inputBlock),
    };
  });
  const weightError = network.nodes.reduce(
    (most, node) => ('weight' in node || node.kind === 'select' ? Math.max(most, foldErrorOf(node)) : most),
    0,
  );
  const [first] = ends;
  const node = network.nodes[first];
  const conv = node.kind === 'conv' && network.nodes[node.from].kind === 'input' ? first : undefined;
  return { network, relus, layers, weightError, conv };
}

/** What `affineRows` says of a segment of one dense or convolution node, without composing anything. */
function singleRows(network: Network, end: NodeId, sources: readonly NodeId[]): AffineRows | undefined {
  const node = network.nodes[end];
  if ((node.kind !== 'dense' && node.kind !== 'conv') || sources.length !== 1 || sources[0] !== node.from)
    return undefined;
  const width = network.nodes[node.from].size;
  const everyIndex = Int32Array.from({ length: width }, (_, i) => i);
  const denseRow = (weights: Float64Array): SparseRow => {
    if (!weights.includes(0)) return { index: everyIndex, value: weights };
    const index = everyIndex.filter((i) => weights[i] !== 0);
    return { index, value: Float64Array.from(index, (i) => weights[i]) };
  };
  const rowOf = (j: number): SparseRow => {
    if (node.kind === 'dense') return denseRow(node.weight.subarray(j * width, (j + 1) * width));
    const terms = [...convTerms(node, j)].filter(([, weight]) => weight !== 0);
    return { index: Int32Array.from(terms, ([i]) => i), value: Float64Array.from(terms, ([, weight]) => weight) };
  };
  const perChannel = node.kind === 'conv' ? node.outShape[1] * node.outShape[2] : 1;
  const bias = Float64Array.from({ length: node.size }, (_, j) => node.bias[Math.floor(j / perChannel)]);
  return {
    sources,
    bias,
    rows: [Array.from(bias, (_, j) => rowOf(j))],
    magnitudes: undefined,
    biasMagnitude: bias.map(Math.abs),
  };
}
