import type { Network, NodeId } from '../network/network';
import { backwardAffine, forwardAffine } from './affine';
import { graphBuilder, type Value } from './graph';
import { ancestors } from './segments';

/**
 * Scores and gradients at points, as one ONNX graph. A gradient is a bound of width zero: with every slope set to the activation
 * pattern at the point, the backward pass of bounds yields the exact gradient there (docs/engine.md, section 2).
 *
 * inputs   x              float [P, inputSize]
 *          coefficients   float [P, classes]    the functional of the scores to differentiate, per point
 * outputs  scores         float [P, classes]
 *          gradient       float [P, inputSize]
 *          pre<id>        float [P, size]       pre-activation of each ReLU `id` that the scores depend on
 */
export function emitGradient(network: Network): Uint8Array {
  const graph = graphBuilder();
  const backwards = ancestors(network, network.output);
  const values = new Map<NodeId, Value>();
  const patterns = new Map<NodeId, Value>();
  const zero = graph.scalar(0);
  for (const id of [...backwards].reverse()) {
    const node = network.nodes[id];
    if (node.kind === 'input') values.set(id, graph.input('x', 'float', ['P', node.size]));
    else if (node.kind === 'relu') {
      const before = values.get(node.from)!;
      graph.output(`pre${id}`, before);
      patterns.set(id, graph.node('Cast', [graph.node('Greater', [before, zero])], { to: 1 }));
      values.set(id, graph.node('Relu', [before]));
    } else if (node.kind === 'add') {
      values.set(
        id,
        node.from.map((from) => values.get(from)!).reduce((a, b) => graph.node('Add', [a, b])),
      );
    } else values.set(id, forwardAffine(graph, node, values.get(node.from)!, 'signed', true));
  }
  graph.output('scores', values.get(network.output)!);

  const coefficients = new Map<NodeId, Value>();
  const pass = (id: NodeId, value: Value): void => {
    const before = coefficients.get(id);
    coefficients.set(id, before === undefined ? value : graph.node('Add', [before, value]));
  };
  pass(network.output, graph.input('coefficients', 'float', ['P', network.classes]));
  for (const id of backwards) {
    const value = coefficients.get(id);
    if (value === undefined) continue;
    const node = network.nodes[id];
    if (node.kind === 'input') graph.output('gradient', value);
    else if (node.kind === 'relu') pass(node.from, graph.node('Mul', [value, patterns.get(id)!]));
    else for (const [from, next] of backwardAffine(graph, network, id, value).coefficients) pass(from, next);
  }
  return graph.encode();
}

/** Scores at points: input `x` float [P, inputSize], output `scores` float [P, classes]. */
export function emitScores(network: Network): Uint8Array {
  const graph = graphBuilder();
  const values = new Map<NodeId, Value>();
  for (const id of ancestors(network, network.output).reverse()) {
    const node = network.nodes[id];
    if (node.kind === 'input') values.set(id, graph.input('x', 'float', ['P', node.size]));
    else if (node.kind === 'relu') values.set(id, graph.node('Relu', [values.get(node.from)!]));
    else if (node.kind === 'add') {
      values.set(
        id,
        node.from.map((from) => values.get(from)!).reduce((a, b) => graph.node('Add', [a, b])),
      );
    } else values.set(id, forwardAffine(graph, node, values.get(node.from)!, 'signed', true));
  }
  graph.output('scores', values.get(network.output)!);
  return graph.encode();
}
