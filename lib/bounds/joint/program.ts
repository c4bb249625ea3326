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
  return emit(level, false);
}

/**
 * The same with each member's own slopes, R rows of each:
 *   rows        float [K, R, m_(level-1)]
 *   ls<j>, us<j> float [K, 1, m_j]   li<j>, ui<j> float [K, m_j, 1]   centre, radius float [K, n, 1]
 *   bound       float [K, R, 1]
 */
export function emitOwn(level: number): Uint8Array {
  return emit(level, true);
}

/** Both passes: rows of all members at once against each member's columns, or rows of each member against its own. */
function emit(level: number, isOwn: boolean): Uint8Array {
  const graph = graphBuilder();
  const input = (name: string, shape: readonly (number | string)[]): Value => graph.input(name, 'float', shape);
  /** Rows against a table with a line for each member. */
  const against = (rows: Value, name: string, width: string): Value =>
    isOwn
      ? graph.node('MatMul', [rows, input(name, ['K', width, 1])])
      : graph.node('Gemm', [rows, input(name, ['K', width])], { transB: 1 });
  const slopes = (name: string, width: string): Value => input(name, isOwn ? ['K', 1, width] : [1, width]);
  const top = `m${level - 1}`;
  let rows = input('rows', isOwn ? ['K', 'R', top] : ['R', top]);
  let constant: Value | undefined;
  const add = (term: Value): void => {
    constant = constant === undefined ? term : graph.node('Add', [constant, term]);
  };
  for (let j = level - 1; j >= 0; j--) {
    const m = `m${j}`;
    const positive = graph.node('Relu', [rows]);
    const negative = graph.node('Sub', [rows, positive]);
    add(against(positive, `li${j}`, m));
    add(against(negative, `ui${j}`, m));
    const onZ = graph.node('Add', [
      graph.node('Mul', [positive, slopes(`ls${j}`, m)]),
      graph.node('Mul', [negative, slopes(`us${j}`, m)]),
    ]);
    add(graph.node('MatMul', [onZ, input(`b${j}`, [m, 1])]));
    rows = graph.node('MatMul', [onZ, input(`w${j}`, [m, j > 0 ? `m${j - 1}` : 'n'])]);
  }
  add(against(rows, 'centre', 'n'));
  const reach = against(graph.node('Abs', [rows]), 'radius', 'n');
  graph.output('bound', graph.node('Sub', [constant!, reach]), isOwn ? 3 : 2);
  return graph.encode();
}
