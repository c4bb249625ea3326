import { inputsOf, type Network, type NetworkNode, type NodeId } from '../../network/network';

/**
 * The rest of a network after a ReLU layer, with that ReLU's values as its input: network(x) = tail(relu values at x) in real arithmetic,
 * since the nodes are the same. Undefined where the layer does not cut the graph, that is where some path from the input to the output
 * passes it by, and where the ReLU is the output itself.
 */
export function tailOf(network: Network, relu: NodeId): Network | undefined {
  const kept = new Set<NodeId>();
  const open = [network.output];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === relu || kept.has(id)) continue;
    if (id === 0) return undefined;
    kept.add(id);
    open.push(...inputsOf(network.nodes[id]));
  }
  if (kept.size === 0) return undefined;
  const ids = [relu, ...[...kept].sort((a, b) => a - b)];
  const renamed = new Map(ids.map((id, place) => [id, place]));
  const rename = (id: NodeId): NodeId => renamed.get(id) as NodeId;
  const { name, shape, size } = network.nodes[relu];
  const nodes = ids.slice(1).map((id): NetworkNode => {
    const node = network.nodes[id];
    if (node.kind === 'input') return node;
    return node.kind === 'add' ? { ...node, from: node.from.map(rename) } : { ...node, from: rename(node.from) };
  });
  return {
    nodes: [{ kind: 'input', name, shape, size }, ...nodes],
    output: rename(network.output),
    inputShape: shape,
    inputSize: size,
    classes: network.classes,
  };
}
