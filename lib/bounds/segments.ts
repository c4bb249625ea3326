import { inputsOf, type Network, type NodeId } from '../network/network';

/**
 * A segment is the affine part of the network between a node and the nearest ReLUs (or the input) above it: its sources.
 * Bounds go segment by segment: forward from the boxes of the sources, backward across the relaxed ReLUs.
 */
export interface Segment {
  /** The node whose bounds are wanted: what a ReLU reads, or the network's output. */
  readonly end: NodeId;
  /** ReLU nodes or the input, ascending. */
  readonly sources: readonly NodeId[];
  /** The affine nodes from the sources to `end`, ascending; empty when `end` is itself a source. */
  readonly affine: readonly NodeId[];
}

/** The segment that ends at the node. */
export function segmentOf(network: Network, end: NodeId): Segment {
  const sources = new Set<NodeId>();
  const affine = new Set<NodeId>();
  const open = [end];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = network.nodes[id];
    if (node.kind === 'relu' || node.kind === 'input') sources.add(id);
    else if (!affine.has(id)) {
      affine.add(id);
      open.push(...inputsOf(node));
    }
  }
  const ascending = (a: number, b: number): number => a - b;
  return { end, sources: [...sources].sort(ascending), affine: [...affine].sort(ascending) };
}

/** All nodes that `end` depends on, itself included, descending: the order of a backward pass. */
export function ancestors(network: Network, end: NodeId): NodeId[] {
  const needed = new Uint8Array(network.nodes.length);
  needed[end] = 1;
  for (let id = end; id >= 0; id--) {
    if (needed[id]) for (const input of inputsOf(network.nodes[id])) needed[input] = 1;
  }
  const ids: NodeId[] = [];
  for (let id = end; id >= 0; id--) if (needed[id]) ids.push(id);
  return ids;
}

/** How many nodes read each node. */
export function consumerCounts(network: Network): Uint32Array {
  const counts = new Uint32Array(network.nodes.length);
  for (const node of network.nodes) for (const input of inputsOf(node)) counts[input]++;
  return counts;
}
