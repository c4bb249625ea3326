import { graphBuilder, type Value } from '../graph';

/**
 * Backward passes over a dense chain from functionals of the ReLUs of layer `level - 1`, on the m_j neurons that some of K members may have active
 * at layer j (lines.ts). Inputs of both: w<j> float [m_j, m_(j-1)] and b<j> float [m_j, 1], m_(-1) = n inputs.
 *
 * With shared slopes the coefficients of a row are the same for all members, and each layer's intercepts and at last the box are met by one
 * product with the members' columns:
 *   rows        float [R, m_(level-1)]
 *   ls<j>, us<j> float [1, m_j]      li<j>, ui<j> float [K, m_j]      centre, radius float [K, n]
 *   bound       float [R, K]         lower bound of each row over each member's ball, without the constant of the row
 */
export function emitShared(level: number): Uint8Array {
  const graph = graphBuilder();
  const input = (name: string, shape: readonly (number | string)[]): Value => graph.input(name, 'float', shape);
  const against = (rows: Value, columns: Value): Value => graph.node('Gemm', [rows, columns], { transB: 1 });
  let rows = input('rows', ['R', `m${level - 1}`]);
  let constant: Value | undefined;
  const add = (term: Value): void => {
    constant = constant === undefined ? term : graph.node('Add', [constant, term]);
  };
  for (let j = level - 1; j >= 0; j--) {
    const m = `m${j}`;
    const positive = graph.node('Relu', [rows]);
    const negative = graph.node('Sub', [rows, positive]);
    add(against(positive, input(`li${j}`, ['K', m])));
    add(against(negative, input(`ui${j}`, ['K', m])));
    const onZ = graph.node('Add', [
      graph.node('Mul', [positive, input(`ls${j}`, [1, m])]),
      graph.node('Mul', [negative, input(`us${j}`, [1, m])]),
    ]);
    add(graph.node('MatMul', [onZ, input(`b${j}`, [m, 1])]));
    rows = graph.node('MatMul', [onZ, input(`w${j}`, [m, j > 0 ? `m${j - 1}` : 'n'])]);
  }
  add(against(rows, input('centre', ['K', 'n'])));
  const reach = against(graph.node('Abs', [rows]), input('radius', ['K', 'n']));
  graph.output('bound', graph.node('Sub', [constant!, reach]));
  return graph.encode();
}

/**
 * The same with each member's own slopes, R rows of each:
 *   rows        float [K, R, m_(level-1)]
 *   ls<j>, us<j> float [K, 1, m_j]   li<j>, ui<j> float [K, m_j, 1]   centre, radius float [K, n, 1]
 *   bound       float [K, R, 1]
 */
export function emitOwn(level: number): Uint8Array {
  const graph = graphBuilder();
  const input = (name: string, shape: readonly (number | string)[]): Value => graph.input(name, 'float', shape);
  let rows = input('rows', ['K', 'R', `m${level - 1}`]);
  let constant: Value | undefined;
  const add = (term: Value): void => {
    constant = constant === undefined ? term : graph.node('Add', [constant, term]);
  };
  for (let j = level - 1; j >= 0; j--) {
    const m = `m${j}`;
    const positive = graph.node('Relu', [rows]);
    const negative = graph.node('Sub', [rows, positive]);
    add(graph.node('MatMul', [positive, input(`li${j}`, ['K', m, 1])]));
    add(graph.node('MatMul', [negative, input(`ui${j}`, ['K', m, 1])]));
    const onZ = graph.node('Add', [
      graph.node('Mul', [positive, input(`ls${j}`, ['K', 1, m])]),
      graph.node('Mul', [negative, input(`us${j}`, ['K', 1, m])]),
    ]);
    add(graph.node('MatMul', [onZ, input(`b${j}`, [m, 1])]));
    rows = graph.node('MatMul', [onZ, input(`w${j}`, [m, j > 0 ? `m${j - 1}` : 'n'])]);
  }
  add(graph.node('MatMul', [rows, input('centre', ['K', 'n', 1])]));
  const reach = graph.node('MatMul', [graph.node('Abs', [rows]), input('radius', ['K', 'n', 1])]);
  graph.output('bound', graph.node('Sub', [constant!, reach]), 3);
  return graph.encode();
}
