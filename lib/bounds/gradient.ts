import type { Network, NodeId } from '../network/network';
import { backwardAffine, forwardAffine } from './affine';
import { type GraphBuilder, graphBuilder, type Value } from './graph';
import { ancestors } from './segments';

/**
 * Scores and gradients at points, as one ONNX graph. A gradient is a bound of width zero: with every slope set to the activation
 * pattern at the point, the backward pass of bounds yields the exact gradient there (docs/engine.md, section 2).
 *
 * inputs   x              float [P, inputSize]
 *          coefficients   float [P, classes]    the functional of the scores to differentiate, per point
 * outputs  scores         float [P, classes]
 *          gradient       float [P, inputSize]
 */
export function emitGradient(network: Network): Uint8Array {
  const graph = graphBuilder();
  const patterns = new Map<NodeId, Value>();
  const zero = graph.scalar(0);
  const scores = emitValues(graph, network, (id, before) => {
    patterns.set(id, graph.node('Cast', [graph.node('Greater', [before, zero])], { to: 1 }));
  });
  graph.output('scores', scores);

  const coefficients = new Map<NodeId, Value>();
  const pass = (id: NodeId, value: Value): void => {
    const before = coefficients.get(id);
    coefficients.set(id, before === undefined ? value : graph.node('Add', [before, value]));
  };
  pass(network.output, graph.input('coefficients', 'float', ['P', network.classes]));
  for (const id of ancestors(network, network.output)) {
    const value = coefficients.get(id);
    if (value === undefined) continue;
    const node = network.nodes[id];
    if (node.kind === 'input') graph.output('gradient', value);
    else if (node.kind === 'relu') pass(node.from, graph.node('Mul', [value, patterns.get(id)!]));
    else for (const [from, next] of backwardAffine(graph, network, id, value).coefficients) pass(from, next);
  }
  return graph.encode();
}

/** How many ReLUs the scores depend on. */
export function patternSize(network: Network): number {
  const own = ancestors(network, network.output).map((id) => network.nodes[id]);
  return own.reduce((sum, { kind, size }) => sum + (kind === 'relu' ? size : 0), 0);
}

/**
 * What every ReLU that the scores depend on reads at points: input `x` float [P, inputSize], output `pre` float [P, patternSize], layer after
 * layer in topological order. Only for networks with such ReLUs.
 */
export function emitPreActivations(network: Network): Uint8Array {
  const graph = graphBuilder();
  const read: Value[] = [];
  emitValues(graph, network, (_, before) => read.push(before));
  graph.output('pre', graph.node('Concat', read, { axis: 1 }));
  return graph.encode();
}

/** The network's values at points `x` float [P, inputSize]; returns its scores [P, classes]. */
function emitValues(
  graph: GraphBuilder,
  network: Network,
  onRelu: (id: NodeId, before: Value) => void = () => {},
): Value {
  const values = new Map<NodeId, Value>();
  for (const id of ancestors(network, network.output).reverse()) {
    const node = network.nodes[id];
    if (node.kind === 'input') values.set(id, graph.input('x', 'float', ['P', node.size]));
    else if (node.kind === 'relu') {
      const before = values.get(node.from)!;
      onRelu(id, before);
      values.set(id, graph.node('Relu', [before]));
    } else if (node.kind === 'add') {
      values.set(
        id,
        node.from.map((from) => values.get(from)!).reduce((a, b) => graph.node('Add', [a, b])),
      );
    } else values.set(id, forwardAffine(graph, node, values.get(node.from)!, 'signed', true));
  }
  return values.get(network.output)!;
}
