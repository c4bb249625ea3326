import { graphBuilder, type Value } from '../bounds/graph';
import type { Network, NodeId } from '../network/network';
import { type Blocks, inputBlock } from './blocks';
import { convOfInput, convToInput } from './step-conv';

/** Which layers, or the input, each layer reads. */
export interface StepShape {
  readonly relus: Blocks['relus'];
  readonly layers: readonly { readonly from: readonly number[] }[];
}

export interface StepGraphOptions {
  /** The layer of the functionals; by default the output. */
  readonly end?: number;
  /** For G problems at once. */
  readonly batched?: boolean;
  /** Layer 0 as a convolution (step-conv.ts); not batched. */
  readonly conv?: { readonly network: Network; readonly node: NodeId };
}

/**
 * One step of the optimised bound (alpha and beta) as an ONNX graph over R rows of one problem, for functionals of layer `end`; the matrices are inputs, so
 * one session serves every ball of a network.
 *
 * inputs per layer k, with n_k neurons alive
 *   w<k>_<s>   float [n_k, n_s]     block from source s (x: the input)
 *   b<k>       float [1, n_k]       bias
 *   e<k>       float [n_k, 1]       error weight
 *   c<k>       float [R, n_k]       coefficients that the rows start with on the layer's ReLUs
 *   cx         float [R, n]         coefficients that they start with on the input, where the functionals read it
 *   a<k>, s<k>, t<k>  float [R, n_k]  slope below, slope and intercept above
 *   m<k>       float [R, n_k]       signed multipliers of split constraints: -beta where z >= 0, +beta where z <= 0
 * outputs
 *   bound      float [R, 1]         lower bound, without the row's own constant
 *   h<k>       float [R, n_k]       coefficients on the layer's ReLUs
 *   z<k>       float [R, n_k]       pre-activations of the relaxed network at the minimiser
 *   corner     float [R, n]         the minimiser, in e of [-1, 1]^n
 *
 * Batched, each of these has a first dimension G more, and there are the same blocks and biases, transposed: `tw<k>_<s>` [G, n_s, n_k] and `tb<k>` [G, n_k, 1].
 * Products are batched then: the rows of a problem meet its own matrices only.
 *
 * With the minimiser fixed, the bound is linear in slopes and multipliers: d bound / d a = max(h, 0) z, and d bound / d beta = -z or +z
 * (Wang et al. 2021, beta-CROWN, section 3.3).
 */
export function emitStep({ relus, layers }: StepShape, options: StepGraphOptions = {}): Uint8Array {
  const { end = relus.length, batched = false, conv } = options;
  const graph = graphBuilder();
  const rank = batched ? 3 : 2;
  const input = (name: string, rows: string | number, columns: string | number): Value =>
    graph.input(name, 'float', batched ? ['G', rows, columns] : [rows, columns]);
  const table = (name: string, k: number): Value => input(`${name}${k}`, 'R', `n${k}`);
  const blockOf = (k: number, s: number): { name: string; columns: string } => {
    const from = layers[k].from[s];
    return from === inputBlock ? { name: `w${k}_x`, columns: 'nx' } : { name: `w${k}_${from}`, columns: `n${from}` };
  };
  const block = (k: number, s: number): Value => {
    const { name, columns } = blockOf(k, s);
    return input(name, `n${k}`, columns);
  };
  const affine = (k: number, s: number, from: Value, shift: Value): Value => {
    if (conv && k === 0) return graph.node('Add', [convOfInput(graph, conv.network, conv.node, from), shift]);
    if (!batched) return graph.node('Gemm', [from, block(k, s), shift], { transB: 1 });
    const { name, columns } = blockOf(k, s);
    return graph.node('Add', [graph.node('MatMul', [from, input(`t${name}`, columns, `n${k}`)]), shift]);
  };
  const column = batched ? undefined : graph.integers([-1, 1], [2]);
  const biasColumn = (k: number): Value =>
    column ? graph.node('Reshape', [input(`b${k}`, 1, `n${k}`), column]) : input(`tb${k}`, `n${k}`, 1);
  const zero = graph.scalar(0);
  const constants: Value[] = [];
  const onRelus: (Value | undefined)[] = relus.map(() => undefined);
  let onInput: Value | undefined;
  const add = (a: Value | undefined, b: Value): Value => (a === undefined ? b : graph.node('Add', [a, b]));

  for (const from of layers[end].from) {
    if (from === inputBlock) onInput = input('cx', 'R', 'nx');
    else onRelus[from] = table('c', from);
  }
  /** By layer, the line of each row and neuron: relu(z) relaxed to slope z + shift. */
  const lines: { slope: Value; shift: Value }[] = [];
  for (let k = end - 1; k >= 0; k--) {
    const coefficients = onRelus[k];
    if (coefficients === undefined) continue;
    const isPositive = graph.node('Greater', [coefficients, zero]);
    const slope = graph.node('Where', [isPositive, table('a', k), table('s', k)]);
    const shift = graph.node('Where', [isPositive, zero, table('t', k)]);
    lines[k] = { slope, shift };
    const onZ = graph.node('Add', [graph.node('Mul', [coefficients, slope]), table('m', k)]);
    constants.push(graph.sumColumns(graph.node('Mul', [coefficients, shift]), rank));
    constants.push(graph.node('MatMul', [onZ, biasColumn(k)]));
    const error = graph.node('MatMul', [graph.node('Abs', [onZ]), input(`e${k}`, `n${k}`, 1)]);
    constants.push(graph.node('Neg', [error]));
    for (const [s, from] of layers[k].from.entries()) {
      const product =
        conv && k === 0 ? convToInput(graph, conv.network, conv.node, onZ) : graph.node('MatMul', [onZ, block(k, s)]);
      if (from === inputBlock) onInput = add(onInput, product);
      else onRelus[from] = add(onRelus[from], product);
    }
    graph.output(`h${k}`, coefficients, rank);
  }
  if (onInput === undefined) throw new RangeError('no ReLU of the network depends on the input');
  constants.push(graph.node('Neg', [graph.sumColumns(graph.node('Abs', [onInput]), rank)]));
  const bound = constants.reduce((a, b) => graph.node('Add', [a, b]));
  graph.output('bound', bound, rank);

  // -sign, but for coefficients below 1e-30, which decide nothing: cheaper than Sign.
  const corner = graph.node('Clip', [
    graph.node('Mul', [onInput, graph.scalar(-1e30)]),
    graph.scalar(-1),
    graph.scalar(1),
  ]);
  graph.output('corner', corner, rank);
  const values: Value[] = [];
  for (let k = 0; k < end; k++) {
    if (lines[k] === undefined) continue;
    let z: Value = input(`b${k}`, 1, `n${k}`);
    for (const [s, from] of layers[k].from.entries()) z = affine(k, s, from === inputBlock ? corner : values[from], z);
    graph.output(`z${k}`, z, rank);
    values[k] = graph.node('Add', [graph.node('Mul', [z, lines[k].slope]), lines[k].shift]);
  }
  return graph.encode();
}
