import type { Network, NodeId } from '../network/network';
import { type BackwardStep, backwardAffine } from './affine';
import { type GraphBuilder, graphBuilder, type Value } from './graph';
import { ancestors, consumerCounts } from './segments';
import { dotGamma, dotRadius, sourceBox } from './source-box';

/**
 * The backward program from one start node (docs/engine.md, section 2), as an ONNX graph over G balls with as many rows each, R in all, a ball's next to each other:
 *
 * inputs
 *   groups               int64 [2]                 G, and the rows of a ball
 *   row, sign            int64 [R], float [1, 1]   neuron rows: sign * neuron `row` of the start node
 *   coefficients         float [R, size]           free rows: any functional of the start node
 *   centre0, radius0     float [G, size]           boxes of the input, where rows end; or where they end at a ReLU
 *   lower<id>, upper<id> float [G, size]           bounds of what that one reads
 *   scale<id>, ratio<id> float [G, 1, size]        lines of ReLU `id` (dense/lines.ts)
 *   shift<id>, bend<id>  float [G, size, 1]        with the bias of what it reads, where `mergesBias`
 * outputs
 *   bound                float [R, 1]              lower bound of the row over its ball
 */
export type RowKind = 'neurons' | 'free';

/** Whether a node's bias is in the lines of the ReLU that reads it: nobody else does. */
export function mergesBias(network: Network, readers: Uint32Array, id: NodeId): boolean {
  const { kind } = network.nodes[id];
  return readers[id] === 1 && (kind === 'dense' || kind === 'conv');
}

/** @param stop where rows end: the input, or a ReLU that all paths from the start to the input pass, met with a box of its values */
export function emitBackward(network: Network, start: NodeId, rows: RowKind, stop: NodeId = 0): Uint8Array {
  const graph = graphBuilder();
  const readers = consumerCounts(network);
  const groups = graph.input('groups', 'int64', [2]);
  const order = ancestors(network, start);
  const coefficients = new Map<NodeId, Value>();
  /** Terms of each row's constant, [R, 1]; and [G, rows, 1]. */
  const constants: Value[] = [];
  const ofBalls: Value[] = [];
  const pass = (id: NodeId, value: Value): void => {
    const before = coefficients.get(id);
    coefficients.set(id, before === undefined ? value : graph.node('Add', [before, value]));
  };
  const byBall = (value: Value, size: number): Value =>
    graph.node('Reshape', [value, graph.node('Concat', [groups, graph.integers([size], [1])], { axis: 0 })]);
  const row = (name: string, size: number): Value => graph.input(name, 'float', ['G', 1, size]);
  const column = (name: string, size: number): Value => graph.input(name, 'float', ['G', size, 1]);

  const first = rows === 'free' ? startFree(graph, network, start) : startNeurons(graph, network, start);
  constants.push(...first.constants);
  for (const [id, value] of first.coefficients) pass(id, value);
  const merged = new Set<NodeId>();

  for (const id of order) {
    const value = coefficients.get(id);
    if (value === undefined) continue;
    const node = network.nodes[id];
    if (id < stop) continue;
    if (id === stop) {
      const own = byBall(value, node.size);
      // Of two dimensions until it is met: of numbers in a last dimension of 1, ONNX Runtime takes each by itself, in twenty times as long.
      const box = sourceBox(graph, network, id, ['G', node.size]);
      const met = (part: Value): Value => graph.reshape(part, [-1, node.size, 1]);
      ofBalls.push(graph.node('MatMul', [own, met(box.centre)]));
      const radius = dotRadius(graph, box, dotGamma(network, id));
      const reach = graph.node('MatMul', [graph.absolute(own), met(radius)]);
      ofBalls.push(graph.node('Neg', [reach]));
    } else if (node.kind === 'relu') {
      const scaled = graph.node('Mul', [byBall(value, node.size), row(`scale${id}`, node.size)]);
      const positive = graph.node('Relu', [scaled]);
      const more = graph.node('Mul', [positive, row(`ratio${id}`, node.size)]);
      const onZ = graph.node('Add', [scaled, more]);
      ofBalls.push(graph.node('MatMul', [onZ, column(`shift${id}`, node.size)]));
      ofBalls.push(graph.node('MatMul', [positive, column(`bend${id}`, node.size)]));
      if (mergesBias(network, readers, node.from)) merged.add(node.from);
      pass(node.from, graph.reshape(onZ, [-1, node.size]));
    } else {
      const step = backwardAffine(graph, network, id, value);
      if (!merged.has(id)) constants.push(...step.constants);
      for (const [from, next] of step.coefficients) pass(from, next);
    }
  }
  const sum = (terms: readonly Value[]): Value => terms.reduce((total, term) => graph.node('Add', [total, term]));
  const terms = ofBalls.length > 0 ? [graph.reshape(sum(ofBalls), [-1, 1]), ...constants] : constants;
  // Of a network that reads nothing of its input: 0, in as many rows.
  const nothing = () => graph.sumColumns(graph.node('Mul', [first.coefficients[0][1], graph.scalar(0)]));
  graph.output('bound', terms.length > 0 ? sum(terms) : nothing());
  return graph.encode();
}

function startFree(graph: GraphBuilder, network: Network, start: NodeId): BackwardStep {
  const value = graph.input('coefficients', 'float', ['R', network.nodes[start].size]);
  return { coefficients: [[start, value]], constants: [] };
}

/** sign * one neuron of the start node per row. A dense start needs no product: its rows are rows of the weight. */
function startNeurons(graph: GraphBuilder, network: Network, start: NodeId): BackwardStep {
  const node = network.nodes[start];
  const row = graph.input('row', 'int64', ['R']);
  const sign = graph.input('sign', 'float', [1, 1]);
  const pick = (table: Value): Value => graph.node('Mul', [graph.node('Gather', [table, row], { axis: 0 }), sign]);
  if (node.kind === 'dense') {
    const weight = graph.floats(node.weight, [node.size, node.weight.length / node.size]);
    return { coefficients: [[node.from, pick(weight)]], constants: [pick(graph.floats(node.bias, [node.size, 1]))] };
  }
  const hot = graph.node('OneHot', [row, graph.integers([node.size], []), graph.floats([0, 1], [2])], { axis: -1 });
  return { coefficients: [[start, graph.node('Mul', [hot, sign])]], constants: [] };
}
