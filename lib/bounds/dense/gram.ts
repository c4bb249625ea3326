import type { GraphBuilder, Value } from '../graph';
import { gamma } from '../rounding';

/*
 * What a functional of the first layer loses over a ball, at most, without a product with the input: for any factors f_i > 0 (Cauchy-Schwarz)
 *
 *   sum_i r_i |(a W)_i|  <=  k sqrt(a G a),   k = sqrt(sum_i (r_i / f_i)^2),   G = (W diag f) (W diag f)^T
 *
 * which costs m products a row and neuron instead of n. Of mnist_6_100 the bound is 25 % above the sum, 34 % at most. Rounding errors:
 * docs/soundness.md, "Rough passes".
 */

/** Of a weight column that is (almost) nothing the norm counts as this much of the largest, so that factors stay finite. */
const leastNorm = 2 ** -20;

const leastFactor = 2 ** -60;
const mostFactor = 2 ** 20;

/**
 * Norms of the columns of the first weights, [n]: factors sqrt(r / norm) make the summands r_i |(a W)_i| / norm alike, where the bound is best.
 *
 * @param weight [size, n] row-major
 */
export function columnNorms(weight: Float32Array, columns: number): Float64Array {
  const squares = new Float64Array(columns);
  for (let i = 0; i < weight.length; i++) squares[i % columns] += weight[i] * weight[i];
  const norms = squares.map(Math.sqrt);
  const most = norms.reduce((a, b) => Math.max(a, b), 0);
  return norms.map((norm) => (most > 0 ? Math.max(norm, leastNorm * most) : 1));
}

/**
 * The k of each ball, rounded up.
 *
 * @param radius [balls of the chunk, n], not negative
 * @param to [balls, n], where the factors are written
 */
export function inputFactors(
  radius: Float32Array,
  balls: readonly number[],
  norms: Float64Array,
  to: Float32Array,
): Float32Array {
  const n = norms.length;
  const scales = new Float32Array(balls.length);
  for (let b = 0; b < scales.length; b++) {
    const from = balls[b] * n;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const r = radius[from + i];
      const factor = Math.fround(Math.sqrt(r / norms[i]));
      to[b * n + i] = factor;
      if (r === 0) continue;
      // Of the factor as rounded: then k is exact but for float64.
      const ratio = r / factor;
      // Of factors that denormal numbers are too coarse for, or that make much of flushed weights, nothing is proven; nor of NaN.
      sum += factor >= leastFactor && factor <= mostFactor ? ratio * ratio : Number.POSITIVE_INFINITY;
    }
    scales[b] = Math.sqrt(sum) * (1 + 2 ** -20);
  }
  return scales;
}

/** Room on the diagonal, per neuron, for what float32 flushes to 0. */
const flushed = 2 ** -96;
/** The same, where the coefficients are so small that the diagonal's share is itself flushed. */
const flushedForm = 2 ** -80;

/** Where rounding errors could be a larger part of the form, nothing is proven from it. */
const largestError = 0.4;

/**
 * Enlarges the diagonals of G as computed, [balls, m, m], until the form as computed is at least the exact one.
 *
 * @param own neurons of each ball; the rest of m is padding, exact zeros
 * @param n terms of an entry
 */
export function enlargeDiagonals(gram: Float32Array, own: ArrayLike<number>, n: number): void {
  const m = Math.sqrt(gram.length / own.length);
  for (let b = 0; b < own.length; b++) {
    const neurons = own[b];
    const error = neurons * gamma(n + 2 * neurons + 32);
    const relative = error > largestError ? Number.POSITIVE_INFINITY : 1 + 2 * error;
    const absolute = neurons * flushed;
    for (let j = 0, i = b * m * m; j < neurons; j++, i += m + 1) gram[i] = gram[i] * relative + absolute;
  }
}

/** The loss for coefficients [G, R, m], from inputs `g0` float [G, m, m] (enlarged) and `k0` float [G, 1]. */
export function gramReach(graph: GraphBuilder, coefficients: Value): Value {
  const products = graph.node('MatMul', [coefficients, graph.input('g0', 'float', ['G', 'c0', 'c0'])]);
  const summands = graph.node('Mul', [products, coefficients]);
  const axis = graph.integers([2], [1]);
  // Of two dimensions until all is done (backward.ts).
  const form = graph.node('ReduceSum', [summands, axis], { keepdims: 0 });
  const root = graph.node('Sqrt', [graph.node('Add', [form, graph.scalar(flushedForm)])]);
  return graph.node('Unsqueeze', [graph.node('Mul', [root, graph.input('k0', 'float', ['G', 1])]), axis]);
}
