import type { Effort } from '../chunk';
import { type GraphBuilder, graphBuilder, type Value } from '../graph';
import { gramReach } from './gram';

/** Rows that start as neurons of a layer, for their lower bounds or (negated) their upper ones, or as any functionals of it. */
export type RowStart = 'lower' | 'upper' | 'free';

/**
 * The backward pass over a dense chain from functionals of layer `level`, for G balls with R rows each, every ball on its own compacted
 * network of m_j neurons at layer j (compact.ts). A row carries its constant as a last coefficient: c_j = m_j + 1. Coefficients on a layer's
 * ReLUs come times the slopes of their upper lines, with which the weights are stored (lines.ts).
 *
 * inputs
 *   rows         float [G, R, c_(level-1)]         lower, upper: weights on the neurons below, last column biases
 *                float [G, R, s]                   free: coefficients on the s neurons of the layer
 *   x            float [G, s, c_(level-1)]         free: weights of these neurons
 *   ratio<j>     float [G, 1, c_j]                 lines of layer j: what is added of a positive coefficient
 *   bend<j>      float [G, c_j, 1]                 constant for each unit of it
 *   w<j>         float [G, c_j, c_(j-1)]           j >= 1: weights, last column constants, last row (0, ..., 0, 1)
 *   v0           float [G, c_0, 1]                 the first layer's values at the centre with the constants of the lines; 1 for the constant
 *   w0, r0       float [G, c_0, n], [G, n, 1]      first weights, and the radius of each input; full effort
 *   g0, k0       float [G, c_0, c_0], [G, 1]       what gram.ts has in its place; rough
 * outputs
 *   bound        float [G, R, 1]                   lower bound of each row over its ball; upper: of its negative
 */
export function emitChain(level: number, start: RowStart, effort: Effort): Uint8Array {
  const graph = graphBuilder();
  let rows = graph.input('rows', 'float', ['G', 'R', start === 'free' ? 's' : 'start']);
  if (start === 'free') rows = graph.node('MatMul', [rows, graph.input('x', 'float', ['G', 's', 'start'])]);
  if (start === 'upper') rows = graph.node('Neg', [rows]);
  let constants: Value | undefined;
  for (let j = level - 1; ; j--) {
    const positive = graph.node('Relu', [rows]);
    const bend = graph.node('MatMul', [positive, graph.input(`bend${j}`, 'float', ['G', `c${j}`, 1])]);
    const more = graph.node('Mul', [positive, graph.input(`ratio${j}`, 'float', ['G', 1, `c${j}`])]);
    const onZ = graph.node('Add', [rows, more]);
    constants = constants === undefined ? bend : graph.node('Add', [constants, bend]);
    if (j > 0) {
      rows = graph.node('MatMul', [onZ, graph.input(`w${j}`, 'float', ['G', `c${j}`, `c${j - 1}`])]);
      continue;
    }
    const value = graph.node('MatMul', [onZ, graph.input('v0', 'float', ['G', 'c0', 1])]);
    const reach = effort === 'rough' ? gramReach(graph, onZ) : exactReach(graph, onZ);
    // Constants first: ONNX Runtime makes what is named first before the rest, and may then write over the positive parts that they are made of (1 %).
    graph.output('bound', graph.node('Sub', [graph.node('Add', [constants, value]), reach]), 3);
    return graph.encode();
  }
}

/** What a functional of the first layer loses over the ball, for coefficients [G, R, c_0]. */
function exactReach(graph: GraphBuilder, onZ: Value): Value {
  const onInput = graph.node('MatMul', [onZ, graph.input('w0', 'float', ['G', 'c0', 'n'])]);
  return graph.node('MatMul', [graph.absolute(onInput), graph.input('r0', 'float', ['G', 'n', 1])]);
}

/**
 * Gram matrices of the first weights of each ball's own neurons, times a factor of each input: inputs `index` int64 [G, c] (one past the last row: none) and
 * `factor` float [G, 1, n]; output `gram` float [G, c, c].
 *
 * @param weight [size, n] row-major
 */
export function emitRoughInput(weight: Float32Array, size: number): Uint8Array {
  const graph = graphBuilder();
  const columns = weight.length / size;
  const padded = new Float32Array(weight.length + columns);
  padded.set(weight);
  const index = graph.input('index', 'int64', ['G', 'c']);
  const own = graph.node('Gather', [graph.floats(padded, [size + 1, columns]), index], { axis: 0 });
  const weighted = graph.node('Mul', [own, graph.input('factor', 'float', ['G', 1, columns])]);
  graph.output('gram', graph.node('MatMul', [weighted, graph.node('Transpose', [weighted], { perm: [0, 2, 1] })]), 3);
  return graph.encode();
}
