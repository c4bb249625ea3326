import { segmentOf } from '../bounds/segments';
import { type AffineRows, affineRows } from '../network/affine-rows';
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
    return { ...affineRows(network, end, sources), from: sources.map((id) => layerOf.get(id) ?? inputBlock) };
  });
  return { network, relus, layers };
}
