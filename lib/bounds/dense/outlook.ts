import type * as ort from 'onnxruntime-node';
import type { HalfSpace } from '../../region/violation';
import type { Chunk } from '../chunk';
import { graphBuilder, type Value } from '../graph';
import type { Programs } from '../programs';
import { floatTensor } from '../sessions';
import type { DenseChain } from './chain';
import type { Feeds } from './compact';

/**
 * A guess, for balls of a dense chain, at what their bounds will lose, to stop in the middle where they are far from proof. It decides what is
 * computed and never what is proven, so nothing about it need be sound or exact.
 *
 * Of a ball's row with the least positive value at the centre, the gradient there tells how much each input and each neuron matter: the row loses about
 * sum_i r_i |g_i| over the input, and |g_j| u (-l) / (u - l), the height of the relaxation's triangle, for each unstable neuron j. Layers that are
 * not bounded yet only add to that.
 */
export interface Outlook {
  /** What a row is at the centre of a ball. */
  atCentre(ball: number, row: HalfSpace): number;
  /** Adds what the layer of ReLU `k` (0, 1, ...) loses by its bounds, [balls, size], and sets `left` for balls that are far from proof. */
  judge(k: number, bounds: { readonly lower: Float32Array; readonly upper: Float32Array }, left: Uint8Array): void;
}

/**
 * How many times its value at the centre a row may lose up to a ReLU with so many others to come. Balls that CROWN proves came to at most 4.26, 2.07, 1.68, 1.35 and
 * 0.91 times: MNIST test images 1,000 to 1,999, mnist-net_256x2 at 0.01 to 0.03, 256x4 at 0.005 to 0.02, mnist_6_100 at 0.01 to 0.03.
 */
const mostLost: readonly number[] = [4.3, 2.1, 1.7, 1.4];
const mostLostEarly = 1.2;

/** Keeps 0 / 0 from being NaN. */
const nothing = 2 ** -200;

/**
 * @param rows of each ball: coefficients [classes] and offset
 */
export async function outlookOf(
  programs: Programs,
  { input, lend }: Pick<Chunk, 'input' | 'lend'>,
  rows: readonly (readonly HalfSpace[])[],
): Promise<Outlook> {
  const { network, relus } = programs;
  const { classes } = network;
  const balls = rows.length;
  const table = (size: number): ort.Tensor => floatTensor(lend(balls * size), balls, size);
  const perRelu = (name: string): Feeds =>
    Object.fromEntries(relus.map((relu, k) => [`${name}${k}`, table(network.nodes[relu].size)]));
  const active = perRelu('active');
  const centre = await programs.centre();
  const { scores } = await centre.run({ x: floatTensor(input.centre, balls) }, { ...active, scores: table(classes) });
  const atCentre = (ball: number, { coefficients: row, offset }: HalfSpace): number => {
    let sum = offset;
    for (let c = 0, at = ball * classes; c < classes; c++, at++) sum += row[c] * scores[at];
    return sum;
  };
  const coefficients = lend(balls * classes).fill(0);
  const value = new Float64Array(balls).fill(Number.POSITIVE_INFINITY);
  for (const [b, own] of rows.entries()) {
    for (const row of own) {
      const found = atCentre(b, row);
      // What is not positive at the centre is never proven; other rows may matter all the same.
      if (found <= 0 || found >= value[b]) continue;
      value[b] = found;
      coefficients.set(row.coefficients, b * classes);
    }
  }
  const { reach, ...slopes } = await (await programs.slopes()).run(
    { ...active, coefficients: floatTensor(coefficients, balls), radius: floatTensor(input.radius, balls) },
    { ...perRelu('slope'), reach: table(1) },
  );
  const lost = Float64Array.from(reach);
  const last = relus.length - 1;
  return {
    atCentre,
    judge(k, { lower, upper }, left) {
      const most = mostLost[last - k] ?? mostLostEarly;
      const slope = slopes[`slope${k}`];
      const { size } = network.nodes[relus[k]];
      for (let b = 0; b < balls; b++) {
        if (left[b] === 1) continue;
        const start = b * size;
        // Four sums: one alone would wait for each division.
        let [first, second, third, fourth] = [lost[b], 0, 0, 0];
        let j = 0;
        for (; j + 3 < size; j += 4) {
          const i = start + j;
          first += heightOf(slope, lower, upper, i);
          second += heightOf(slope, lower, upper, i + 1);
          third += heightOf(slope, lower, upper, i + 2);
          fourth += heightOf(slope, lower, upper, i + 3);
        }
        for (; j < size; j++) first += heightOf(slope, lower, upper, start + j);
        lost[b] = first + second + third + fourth;
        // The rough form may overflow where a full pass does not: infinite bounds say nothing.
        if (lost[b] > most * value[b] && lost[b] < Number.POSITIVE_INFINITY) left[b] = 1;
      }
    },
  };
}

/**
 * What neuron `i` loses. Of one of one sign l u is not negative, and nothing is lost; without a branch, which would be mispredicted half of the time.
 */
function heightOf(slope: Float32Array, lower: Float32Array, upper: Float32Array, i: number): number {
  const l = lower[i];
  const u = upper[i];
  return (slope[i] * Math.min(l * u, 0)) / (l - u - nothing);
}

/** At points `x` float [P, n]: `scores` [P, classes], and `active<k>` [P, size], 1 where what ReLU k reads is above 0, else 0. */
export function emitCentre({ layers, inputSize }: DenseChain): Uint8Array {
  const graph = graphBuilder();
  const zero = graph.scalar(0);
  let value = graph.input('x', 'float', ['P', inputSize]);
  for (const [k, { weight, bias, size, relu }] of layers.entries()) {
    const weights = graph.floats(weight, [size, weight.length / size]);
    const z = graph.node('Gemm', [value, weights, graph.floats(bias, [size])], { transB: 1 });
    if (relu === undefined) {
      graph.output('scores', z);
      break;
    }
    graph.output(`active${k}`, graph.node('Cast', [graph.node('Greater', [z, zero])], { to: 1 }));
    value = graph.node('Relu', [z]);
  }
  return graph.encode();
}

/**
 * Gradients of functionals of the scores at points with known patterns.
 *
 * inputs   coefficients  float [P, classes]; active<k> float [P, size]; radius float [P, n]
 * outputs  slope<k>      float [P, size]    absolute values of the gradient in the outputs of ReLU k
 *          reach         float [P, 1]       what the functional loses over the input
 */
export function emitSlopes({ layers, inputSize }: DenseChain): Uint8Array {
  const graph = graphBuilder();
  let gradient: Value = graph.input('coefficients', 'float', ['P', layers[layers.length - 1].size]);
  for (let k = layers.length - 1; k >= 0; k--) {
    const { weight, size } = layers[k];
    gradient = graph.node('MatMul', [gradient, graph.floats(weight, [size, weight.length / size])]);
    const absolute = graph.node('Abs', [gradient]);
    if (k === 0) {
      const radius = graph.input('radius', 'float', ['P', inputSize]);
      graph.output('reach', graph.sumColumns(graph.node('Mul', [absolute, radius])));
      break;
    }
    graph.output(`slope${k - 1}`, absolute);
    gradient = graph.node('Mul', [gradient, graph.input(`active${k - 1}`, 'float', ['P', layers[k - 1].size])]);
  }
  return graph.encode();
}
