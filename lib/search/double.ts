import { foldErrorOf } from '../network/folding';
import { type Network, reluNodes } from '../network/network';
import type { Box } from '../region/box';
import { type AffineNode, carry, magnitudes, readings } from './double-affine';
import type { AffineFunctional, Functional, Problem } from './problem';

/** A sub-problem whose multipliers may be float64. Any slopes and multipliers give a bound that holds. */
export interface DoubleSubProblem {
  /** What must be > 0: a functional of the outputs, each named once, and a constant. */
  readonly functional: AffineFunctional;
  /** Per neuron of the problem: 1 where z >= 0 is assumed, -1 where z <= 0, else 0. */
  readonly splits: Int8Array;
  /** Slopes below; multipliers, >= 0 of splits, elsewhere signed: of z <= upper where > 0, of z >= lower where < 0. */
  readonly alpha: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  /** Pre-activation bounds of every neuron of the problem, where they are narrower on this part than the problem's. */
  readonly narrowed?: { readonly lower: Float32Array; readonly upper: Float32Array };
}

export interface DoubleBound {
  /** Proven lower bound, in real arithmetic over the weights of the normal form; -Infinity where nothing finite came out. */
  readonly bound: number;
  /** The minimiser of the relaxed functional, in e of [-1, 1]^n. */
  readonly corner: Float64Array;
  /** About the error that float32 has subtracted from its bound of the same sub-problem: says when float64 may help. */
  readonly floatError: number;
}

/** Evaluates sub-problems of one problem in float64. */
export interface DoubleBounds {
  bound(sub: DoubleSubProblem): DoubleBound;
  /**
   * Coefficients on the input, and constant, of a functional of a layer's pre-activations (or the outputs, `layer` = number of layers) where all
   * neurons have the signs of a decided sub-problem; not rigorous.
   */
  affine(
    layer: number,
    terms: Functional,
    decided: Pick<DoubleSubProblem, 'splits' | 'narrowed'>,
  ): { readonly row: Float64Array; readonly constant: number };
}

const unitRoundoff = 2 ** -53;
/** More than any product can lose by underflow, with room for a network's worth of them. */
const underflow = 2 ** -1000;

/** A functional carried back to the input. */
interface Walk {
  readonly input: Float64Array;
  readonly constant: number;
  /** Sum of the absolute values of the constant's terms, and their number. */
  readonly constantMagnitude: number;
  readonly constantTerms: number;
  readonly error: number;
  readonly floatError: number;
}

/**
 * The bound of docs/soundness.md, "Float64", node by node over the network itself: weights are those of the normal form, nothing is composed or
 * rounded to float32. Typed-array loops: meant for the few rows that float32 cannot decide.
 *
 * @returns a maker of bounds: `box` has the exact bounds of the ball, `problem` pre-activation bounds that hold on (a part of) it
 */
export function doubleBounder(network: Network): (box: Box, problem: Problem) => DoubleBounds {
  const { nodes } = network;
  const layerOf = new Map(reluNodes(network).map((id, k) => [id, k]));
  const ends = nodes.flatMap((node) => (node.kind === 'relu' ? [node.from] : []));
  const terms = nodes.map(() => 8);
  for (const node of nodes)
    if (node.kind !== 'input')
      for (const from of node.kind === 'add' ? node.from : [node.from]) terms[from] += readings(node);
  const g = gamma(terms.reduce((a, b) => Math.max(a, b)));
  const total = terms.reduce((a, b) => a + b, 0);
  /** By node, the error of a step over it relative to the sums of absolute values: roundings, and what folding left in its weights. */
  const relative = nodes.map((node) =>
    node.kind === 'dense' || node.kind === 'conv' || node.kind === 'select' ? g + 1.01 * foldErrorOf(node) : g,
  );

  return (box, problem) => {
    const reach = reachOf(network, box, problem, layerOf);
    const tiny = underflow * total * reach.reduce((sum, values) => values.reduce((a, b) => a + b, sum), 1);

    /** Carries a functional of node `start` back to the input. */
    const walk = (
      start: number,
      functional: Functional,
      { splits, alpha, beta, narrowed }: Omit<DoubleSubProblem, 'functional'>,
    ): Walk => {
      const on = nodes.map((): Float64Array | undefined => undefined);
      const at = (id: number): Float64Array => (on[id] ??= new Float64Array(nodes[id].size));
      for (const [component, weight] of functional) at(start)[component] += weight;
      let [constant, constantMagnitude, constantTerms, error, floatError] = [0, 0, 0, 0, 0];
      const onConstant = (product: number): void => {
        constant += product;
        constantMagnitude += Math.abs(product);
        constantTerms++;
      };
      for (let id = start; id > 0; id--) {
        const coefficients = on[id];
        const node = nodes[id];
        if (node.kind === 'relu') {
          const k = layerOf.get(id)!;
          const { alive, lower, upper, error: weights } = problem.layers[k];
          for (let r = 0; r < alive.length; r++) {
            const n = problem.offsets[k] + r;
            const l = narrowed ? narrowed.lower[n] : lower[r];
            const u = narrowed ? narrowed.upper[n] : upper[r];
            const a = coefficients?.[alive[r]] ?? 0;
            const multiplier = splits[n] === 0 ? beta[n] : -splits[n] * Math.max(0, beta[n]);
            if (a === 0 && multiplier === 0) continue;
            let sloped = a;
            if (splits[n] < 0 || (splits[n] === 0 && u <= 0)) sloped = 0;
            else if (splits[n] === 0 && !(l >= 0)) {
              if (a > 0) sloped = a * Math.min(1, Math.max(0, alpha[n]));
              else {
                // Also where bounds are NaN or infinite: then so is the slope, and nothing is proven.
                const s = u / (u - l);
                sloped = a * s;
                onConstant(a * Math.max(-s * l, (1 - s) * u) * (1 + 2 ** -50));
              }
            }
            // m (z - upper) <= 0 for m > 0, m (z - lower) <= 0 for m < 0.
            if (splits[n] === 0 && multiplier !== 0) onConstant(-multiplier * (multiplier > 0 ? u : l));
            at(node.from)[alive[r]] += sloped;
            if (multiplier !== 0) at(node.from)[alive[r]] += multiplier;
            const size = Math.abs(sloped) + Math.abs(multiplier);
            error += g * size * Math.max(Math.abs(l), Math.abs(u));
            floatError += size * weights[r];
          }
          const { neurons, upper: tops } = problem.layers[k].folded;
          for (let r = 0; coefficients && r < neurons.length; r++) {
            const a = coefficients[neurons[r]];
            if (a === 0) continue;
            at(node.from)[neurons[r]] += a;
            error += g * Math.abs(a) * tops[r];
          }
        } else if (coefficients && node.kind !== 'input') {
          for (let j = 0; j < coefficients.length; j++)
            if (coefficients[j] !== 0) error += relative[id] * Math.abs(coefficients[j]) * reach[id][j];
          carry(node, coefficients, { at, onConstant });
        }
      }
      return { input: at(0), constant, constantMagnitude, constantTerms, error, floatError };
    };

    return {
      bound(sub) {
        const { terms: functional, offset } = sub.functional;
        const { input, constant, constantMagnitude, constantTerms, error, floatError } = walk(
          network.output,
          functional,
          sub,
        );
        let value = constant + offset;
        let magnitude = constantMagnitude + Math.abs(offset);
        const corner = new Float64Array(input.length);
        for (let i = 0; i < input.length; i++) {
          if (input[i] === 0) continue;
          const term = input[i] * (input[i] > 0 ? box.lower[i] : box.upper[i]);
          value += term;
          magnitude += Math.abs(term);
          corner[i] = -Math.sign(input[i]);
        }
        // Magnitudes and errors are sums of terms >= 0: a few gamma off themselves.
        const all = (error + gamma(constantTerms + input.length + 8) * magnitude) * (1 + 2 ** -16) + tiny;
        const bound = value - all - Math.abs(value) * 2 ** -50;
        return { bound: Number.isFinite(bound) ? bound : Number.NEGATIVE_INFINITY, corner, floatError };
      },
      affine(layer, functional, { splits, narrowed }) {
        const zero = new Float32Array(splits.length);
        const decided = { splits, alpha: zero, beta: zero, ...(narrowed && { narrowed }) };
        const { input, constant } = walk(layer < ends.length ? ends[layer] : network.output, functional, decided);
        return { row: input, constant };
      },
    };
  };
}

/**
 * By node, bounds of the absolute values of its components (for affine nodes, of the sums of absolute values of their terms), at the inputs for which
 * the problem's bounds hold.
 */
function reachOf(network: Network, box: Box, problem: Problem, layerOf: ReadonlyMap<number, number>): Float64Array[] {
  const reach: Float64Array[] = [];
  for (const [id, node] of network.nodes.entries()) {
    if (node.kind === 'input')
      reach.push(Float64Array.from(box.lower, (low, i) => Math.max(Math.abs(low), Math.abs(box.upper[i]))));
    else if (node.kind === 'relu') {
      const { alive, upper } = problem.layers[layerOf.get(id)!];
      const values = new Float64Array(node.size);
      for (let r = 0; r < alive.length; r++) values[alive[r]] = Math.max(0, upper[r]);
      const { neurons, upper: tops } = problem.layers[layerOf.get(id)!].folded;
      for (let r = 0; r < neurons.length; r++) values[neurons[r]] = tops[r];
      reach.push(values);
    } else reach.push(magnitudes(node as AffineNode, reach));
  }
  return reach;
}

/** n u / (1 - n u) of float64. */
function gamma(n: number): number {
  return (n * unitRoundoff) / (1 - n * unitRoundoff);
}
