import { type AddNode, inputsOf, type Network, type NetworkNode, type NodeId } from './network';
import { affineAfterConv, convAfterAffine, convAfterPadding } from './rewrite-conv';
import { composeDense, composeSelects, denseAfterSelect, isIdentity, selectAfterDense } from './rewrite-dense';

/**
 * An equivalent network with fewer nodes: selects (transpositions, normalisation, biases) are folded into the dense or
 * convolution layer next to them, consecutive dense layers become one where that does not grow, nested additions
 * become one, and nodes that the output does not need are removed. Folding is done in float64; a layer that nothing
 * is folded into keeps its exact weights.
 */
export function simplify(network: Network): Network {
  const nodes = [...network.nodes];
  let { output } = network;
  for (let changed = true; changed; ) {
    changed = false;
    for (let id = 1; id < nodes.length; id++) {
      let rewrite = rewriteOf(id, nodes, output);
      for (; typeof rewrite === 'object'; rewrite = rewriteOf(id, nodes, output)) {
        nodes[id] = rewrite;
        changed = true;
      }
      if (rewrite === undefined || isSummedWith(id, rewrite, nodes)) continue;
      const target = rewrite;
      nodes.forEach((node, reader) => {
        nodes[reader] = renamed(node, (from) => (from === id ? target : from));
      });
      if (output === id) output = target;
      changed = true;
    }
  }
  return withoutDeadNodes({ ...network, nodes, output });
}

/** Whether a sum reads both nodes: it would read one node twice if the first were replaced by the second. */
function isSummedWith(id: NodeId, other: NodeId, nodes: readonly NetworkNode[]): boolean {
  return nodes.some((node) => node.kind === 'add' && node.from.includes(id) && node.from.includes(other));
}

/** An equivalent of node `id`: another node in its place, or the id of an earlier node with the same value. */
function rewriteOf(id: NodeId, nodes: readonly NetworkNode[], output: NodeId): NetworkNode | NodeId | undefined {
  const node = nodes[id];
  if (node.kind === 'input' || !isRead(id, nodes, output)) return undefined;
  if (node.kind === 'add') return flattenedAdd(node, nodes, output);
  const before = nodes[node.from];
  const isShared = countReaders(node.from, nodes, output) > 1;
  switch (node.kind) {
    case 'relu':
      return before.kind === 'relu' ? node.from : undefined;
    case 'select':
      if (isIdentity(node, before.size)) return node.from;
      if (before.kind === 'select') return composeSelects(node, before);
      if (isShared) return undefined;
      if (before.kind === 'dense') return selectAfterDense(node, before);
      return before.kind === 'conv' ? affineAfterConv(node, before) : undefined;
    case 'dense':
      if (before.kind === 'select') return denseAfterSelect(node, before, nodes[before.from]);
      return before.kind === 'dense' && !isShared ? composeDense(node, before) : undefined;
    case 'conv':
      if (before.kind !== 'select') return undefined;
      return convAfterAffine(node, before, nodes[before.from]) ?? convAfterPadding(node, before, nodes[before.from]);
  }
}

/** Summands that are themselves sums, and read by nobody else, are added directly. */
function flattenedAdd(node: AddNode, nodes: readonly NetworkNode[], output: NodeId): AddNode | undefined {
  const from = node.from.flatMap((id): readonly NodeId[] => {
    const term = nodes[id];
    return term.kind === 'add' && countReaders(id, nodes, output) === 1 ? term.from : [id];
  });
  const isSame = from.length === node.from.length;
  return isSame || new Set(from).size < from.length ? undefined : { ...node, from };
}

/** For each node whether the output depends on it; the input always counts. */
function liveNodes(nodes: readonly NetworkNode[], output: NodeId): boolean[] {
  const live = nodes.map((_, id) => id === 0 || id === output);
  for (let id = nodes.length - 1; id >= 0; id--) {
    if (live[id]) for (const from of inputsOf(nodes[id])) live[from] = true;
  }
  return live;
}

/** How many times the value of a node is read; being the output counts too. */
function countReaders(id: NodeId, nodes: readonly NetworkNode[], output: NodeId): number {
  const live = liveNodes(nodes, output);
  const uses = nodes.flatMap((node, reader) => (live[reader] ? inputsOf(node).filter((from) => from === id) : []));
  return uses.length + (id === output ? 1 : 0);
}

function isRead(id: NodeId, nodes: readonly NetworkNode[], output: NodeId): boolean {
  return liveNodes(nodes, output)[id];
}

/** The node with its inputs under other ids. */
function renamed(node: NetworkNode, rename: (id: NodeId) => NodeId): NetworkNode {
  if (node.kind === 'input') return node;
  return node.kind === 'add' ? { ...node, from: node.from.map(rename) } : { ...node, from: rename(node.from) };
}

function withoutDeadNodes(network: Network): Network {
  const live = liveNodes(network.nodes, network.output);
  const kept = network.nodes.flatMap((_, id) => (live[id] ? [id] : []));
  const newId = new Map(kept.map((id, position) => [id, position]));
  const rename = (id: NodeId): NodeId => newId.get(id) as NodeId;
  return {
    ...network,
    nodes: kept.map((id) => renamed(network.nodes[id], rename)),
    output: rename(network.output),
  };
}
