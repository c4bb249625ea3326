import { graphBuilder, type Value } from '../graph';

/**
 * The backward pass over a dense chain from functionals of the ReLUs of layer `level - 1`, for G balls with R rows each, every ball on its own
 * compacted network of m_j neurons at layer j (compact.ts). A row carries its constant as a last coefficient, and the lines of a layer
 * are multiplied into the weights below it, so that one product does a layer: [max(row, 0), min(row, 0)] d_j.
 *
 * inputs
 *   rows      float [G, R, m_(level-1) + 1]                     coefficients on the ReLUs, and the constant
 *   d<j>      float [G, 2 (m_j + 1), m_(j-1) + 1]   j >= 1: lower line times weights, then upper line times weights; last column: constants
 *   d0        float [G, 2 (m_0 + 1), 1]                         the same for the first layer's values at the centre
 *   ls0, us0  float [G, 1, m_0 + 1]                             slopes of the first layer
 *   w0        float [G, m_0 + 1, n]                             first weights, times the radius of each input
 * outputs
 *   bound     float [G, R, 1]                                   lower bound of each row over its ball
 */
export function emitChain(level: number): Uint8Array {
  const graph = graphBuilder();
  const lastAxis = graph.integers([2], [1]);
  let rows: Value = graph.input('rows', 'float', ['G', 'R', 'start']);
  for (let j = level - 1; ; j--) {
    const positive = graph.node('Relu', [rows]);
    const negative = graph.node('Sub', [rows, positive]);
    const both = graph.node('Concat', [positive, negative], { axis: 2 });
    const next = graph.node('MatMul', [both, graph.input(`d${j}`, 'float', ['G', `d${j}`, `to${j}`])]);
    if (j > 0) {
      rows = next;
      continue;
    }
    const slope = (name: string): Value => graph.input(name, 'float', ['G', 1, 'm0']);
    const onZ = graph.node('Add', [
      graph.node('Mul', [positive, slope('ls0')]),
      graph.node('Mul', [negative, slope('us0')]),
    ]);
    const onInput = graph.node('MatMul', [onZ, graph.input('w0', 'float', ['G', 'm0', 'n'])]);
    const reach = graph.node('ReduceSum', [graph.node('Abs', [onInput]), lastAxis], { keepdims: 1 });
    graph.output('bound', graph.node('Sub', [next, reach]), 3);
    return graph.encode();
  }
}

/**
 * First weights of each ball's own neurons, times its radius: inputs `index` int64 [G, m] (one past the last row: none) and `radius` float
 * [G, 1, n]; output `scaled` float [G, m, n].
 *
 * @param weight [size, n] row-major
 */
export function emitScaledInput(weight: Float32Array, size: number): Uint8Array {
  const graph = graphBuilder();
  const columns = weight.length / size;
  const padded = new Float32Array(weight.length + columns);
  padded.set(weight);
  const index = graph.input('index', 'int64', ['G', 'm']);
  const own = graph.node('Gather', [graph.floats(padded, [size + 1, columns]), index], { axis: 0 });
  graph.output('scaled', graph.node('Mul', [own, graph.input('radius', 'float', ['G', 1, columns])]), 3);
  return graph.encode();
}
