import type { Network, NodeId } from '../network/network';
import { type BackwardStep, backwardAffine } from './affine';
import { type GraphBuilder, graphBuilder, type Value } from './graph';
import { ancestors } from './segments';

/**
 * The backward program from one start node (docs/engine.md, section 2), as an ONNX graph over R flat rows of any balls:
 *
 * inputs
 *   ball                 int64 [R]      which ball (row of the tables) each row belongs to
 *   row, sign            int64 [R], float [R, 1]   neuron rows: sign * neuron `row` of the start node
 *   coefficients         float [R, size]           free rows: any functional of the start node
 *   centre, radius       float [B, inputSize]      the balls' boxes
 *   <kind><id>           float [B, size]           relaxation of ReLU `id`: ls, us, li, ui (see relaxation.ts)
 * outputs
 *   bound                float [R, 1]              lower bound of the row over its ball
 */
export type RowKind = 'neurons' | 'free';

export function emitBackward(network: Network, start: NodeId, rows: RowKind): Uint8Array {
  const graph = graphBuilder();
  const ball = graph.input('ball', 'int64', ['R']);
  const order = ancestors(network, start);
  const coefficients = new Map<NodeId, Value>();
  const constants: Value[] = [];
  const pass = (id: NodeId, value: Value): void => {
    const before = coefficients.get(id);
    coefficients.set(id, before === undefined ? value : graph.node('Add', [before, value]));
  };
  const gathered = (name: string, size: number): Value =>
    graph.node('Gather', [graph.input(name, 'float', ['B', size]), ball], { axis: 0 });

  const first = rows === 'free' ? startFree(graph, network, start) : startNeurons(graph, network, start);
  constants.push(...first.constants);
  for (const [id, value] of first.coefficients) pass(id, value);

  for (const id of order) {
    const value = coefficients.get(id);
    if (value === undefined) continue;
    const node = network.nodes[id];
    if (node.kind === 'input') {
      const dot = graph.node('Mul', [value, gathered('centre', node.size)]);
      const reach = graph.node('Mul', [graph.node('Abs', [value]), gathered('radius', node.size)]);
      constants.push(graph.sumColumns(graph.node('Sub', [dot, reach])));
    } else if (node.kind === 'relu') {
      const positive = graph.node('Relu', [value]);
      const negative = graph.node('Sub', [value, positive]);
      const line = (slope: string, intercept: string, side: Value): [Value, Value] => [
        graph.node('Mul', [side, gathered(`${slope}${id}`, node.size)]),
        graph.node('Mul', [side, gathered(`${intercept}${id}`, node.size)]),
      ];
      const [below, belowShift] = line('ls', 'li', positive);
      const [above, aboveShift] = line('us', 'ui', negative);
      constants.push(graph.sumColumns(graph.node('Add', [belowShift, aboveShift])));
      pass(node.from, graph.node('Add', [below, above]));
    } else {
      const step = backwardAffine(graph, network, id, value);
      constants.push(...step.constants);
      for (const [from, next] of step.coefficients) pass(from, next);
    }
  }
  graph.output(
    'bound',
    constants.reduce((sum, term) => graph.node('Add', [sum, term])),
  );
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
  const sign = graph.input('sign', 'float', ['R', 1]);
  const pick = (table: Value): Value => graph.node('Mul', [graph.node('Gather', [table, row], { axis: 0 }), sign]);
  if (node.kind === 'dense') {
    const weight = graph.floats(node.weight, [node.size, node.weight.length / node.size]);
    return { coefficients: [[node.from, pick(weight)]], constants: [pick(graph.floats(node.bias, [node.size, 1]))] };
  }
  const hot = graph.node('OneHot', [row, graph.integers([node.size], []), graph.floats([0, 1], [2])], { axis: -1 });
  return { coefficients: [[start, graph.node('Mul', [hot, sign])]], constants: [] };
}
