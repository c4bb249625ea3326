import { graphBuilder, type Value } from '../graph';
import { type Windows, weightRows, windowMatrix } from './geometry';

/**
 * The backward pass from neurons of a convolution, in coordinates of their windows, over R rows of any positions of any balls:
 *
 * inputs
 *   row      int64 [R]             output channel; plus the number of channels for minus the neuron
 *   place    int64 [R]             row of the tables: the neuron's position on its ball
 *   ls<id>, us<id>  float [P, window]   slopes of ReLU `id` over the window
 *   lc<id>, uc<id>  float [P, window]   constants of its lines: bias times slope, plus intercept
 *   centre, radius  float [P, patch]    of the input over the patch
 * output
 *   bound    float [R, 1]          lower bound of each row, without the start's own bias
 *
 * One matrix per layer serves all positions, since places outside a layer have lines and radii of 0.
 */
export function emitWindows({ layer, below, input }: Windows): Uint8Array {
  const graph = graphBuilder();
  const place = graph.input('place', 'int64', ['R']);
  const gathered = (name: string, size: number): Value =>
    graph.node('Gather', [graph.input(name, 'float', ['P', size]), place], { axis: 0 });
  const row = graph.input('row', 'int64', ['R']);
  const first = weightRows(layer.conv);
  const start = (part: (w: number) => number): Value => {
    const both = new Float32Array(2 * first.length);
    for (const [i, w] of first.entries()) {
      both[i] = part(w);
      both[first.length + i] = part(-w);
    }
    const table = graph.floats(both, [2 * layer.conv.outShape[0], below[0].window.size]);
    return graph.node('Gather', [table, row], { axis: 0 });
  };
  let positive = start((w) => Math.max(w, 0));
  let negative = start((w) => Math.min(w, 0));
  const constants: Value[] = [];
  for (const [k, { layer, window }] of below.entries()) {
    const lines = (slope: string): [Value, Value] => [
      graph.node('Mul', [positive, gathered(`l${slope}${layer.relu}`, window.size)]),
      graph.node('Mul', [negative, gathered(`u${slope}${layer.relu}`, window.size)]),
    ];
    constants.push(graph.sumColumns(graph.node('Add', lines('c'))));
    const next = below[k + 1]?.window ?? input;
    const matrix = graph.floats(windowMatrix(layer.conv, window, next), [window.size, next.size]);
    const value = graph.node('MatMul', [graph.node('Add', lines('s')), matrix]);
    if (next === input) {
      const dot = graph.node('Mul', [value, gathered('centre', input.size)]);
      const reach = graph.node('Mul', [graph.node('Abs', [value]), gathered('radius', input.size)]);
      const least = graph.sumColumns(graph.node('Sub', [dot, reach]));
      graph.output(
        'bound',
        constants.reduce((sum, term) => graph.node('Add', [sum, term]), least),
      );
      return graph.encode();
    }
    positive = graph.node('Relu', [value]);
    negative = graph.node('Sub', [value, positive]);
  }
  throw new Error(`${layer.conv.name} is the first layer`);
}
