import { graphBuilder, type Value } from '../bounds/graph';
import { type Blocks, inputBlock } from './blocks';

/** Which layers, or the input, each layer reads. */
export interface StepShape {
  readonly relus: Blocks['relus'];
  readonly layers: readonly { readonly from: readonly number[] }[];
}

/**
 * One step of the optimised bound (alpha and beta) as an ONNX graph over R rows of one problem, for functionals of layer `end` (by default the
 * output); the matrices are inputs, so one session serves
 * every ball of a network.
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
 * With the minimiser fixed, the bound is linear in slopes and multipliers: d bound / d a = max(h, 0) z, and d bound / d beta = -z or +z
 * (Wang et al. 2021, beta-CROWN, section 3.3).
 */
export function emitStep({ relus, layers }: StepShape, end = relus.length): Uint8Array {
  const graph = graphBuilder();
  const block = (k: number, s: number): Value => {
    const from = layers[k].from[s];
    const name = from === inputBlock ? 'x' : `${from}`;
    return graph.input(`w${k}_${name}`, 'float', [`n${k}`, from === inputBlock ? 'nx' : `n${from}`]);
  };
  const table = (name: string, k: number): Value => graph.input(`${name}${k}`, 'float', ['R', `n${k}`]);
  const column = graph.integers([-1, 1], [2]);
  const constants: Value[] = [];
  const onRelus: (Value | undefined)[] = relus.map(() => undefined);
  let onInput: Value | undefined;
  const add = (a: Value | undefined, b: Value): Value => (a === undefined ? b : graph.node('Add', [a, b]));

  for (const from of layers[end].from) {
    if (from === inputBlock) onInput = graph.input('cx', 'float', ['R', 'nx']);
    else onRelus[from] = table('c', from);
  }
  const below: { positive: Value; isPositive: Value }[] = [];
  const read = new Set<number>();
  for (let k = end - 1; k >= 0; k--) {
    const coefficients = onRelus[k];
    if (coefficients === undefined) continue;
    read.add(k);
    const positive = graph.node('Relu', [coefficients]);
    const negative = graph.node('Sub', [coefficients, positive]);
    below[k] = { positive, isPositive: graph.node('Greater', [coefficients, graph.scalar(0)]) };
    const sloped = graph.node('Add', [
      graph.node('Mul', [positive, table('a', k)]),
      graph.node('Mul', [negative, table('s', k)]),
    ]);
    const onZ = graph.node('Add', [sloped, table('m', k)]);
    constants.push(graph.sumColumns(graph.node('Mul', [negative, table('t', k)])));
    const bias = graph.node('Reshape', [graph.input(`b${k}`, 'float', [1, `n${k}`]), column]);
    constants.push(graph.node('MatMul', [onZ, bias]));
    const error = graph.node('MatMul', [graph.node('Abs', [onZ]), graph.input(`e${k}`, 'float', [`n${k}`, 1])]);
    constants.push(graph.node('Neg', [error]));
    for (const [s, from] of layers[k].from.entries()) {
      const product = graph.node('MatMul', [onZ, block(k, s)]);
      if (from === inputBlock) onInput = add(onInput, product);
      else onRelus[from] = add(onRelus[from], product);
    }
    graph.output(`h${k}`, coefficients);
  }
  if (onInput === undefined) throw new RangeError('no ReLU of the network depends on the input');
  constants.push(graph.node('Neg', [graph.sumColumns(graph.node('Abs', [onInput]))]));
  graph.output(
    'bound',
    constants.reduce((a, b) => graph.node('Add', [a, b])),
  );

  // -sign, but for coefficients below 1e-30, which decide nothing: cheaper than Sign.
  const corner = graph.node('Clip', [
    graph.node('Mul', [onInput, graph.scalar(-1e30)]),
    graph.scalar(-1),
    graph.scalar(1),
  ]);
  graph.output('corner', corner);
  const values: Value[] = [];
  for (let k = 0; k < end; k++) {
    if (!read.has(k)) continue;
    let z: Value = graph.input(`b${k}`, 'float', [1, `n${k}`]);
    for (const [s, from] of layers[k].from.entries())
      z = graph.node('Gemm', [from === inputBlock ? corner : values[from], block(k, s), z], { transB: 1 });
    graph.output(`z${k}`, z);
    const above = graph.node('Add', [graph.node('Mul', [z, table('s', k)]), table('t', k)]);
    values[k] = graph.node('Where', [below[k].isPositive, graph.node('Mul', [z, table('a', k)]), above]);
  }
  return graph.encode();
}
