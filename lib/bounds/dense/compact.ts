import type * as ort from 'onnxruntime-node';
import type { NodeBounds } from '../forward-pass';
import { type Relaxation, relax } from '../relaxation';
import { gamma } from '../rounding';
import { indexTensor, type Session, shapedTensor } from '../sessions';
import type { DenseChain } from './chain';

/** One layer of G balls, each on its own neurons that are not inactive on it. */
export interface CompactLayer {
  /** [G] lists, ascending; shorter ones are padded with neurons whose lines are 0. */
  readonly alive: readonly Int32Array[];
  /** Neurons of the longest list. */
  readonly width: number;
  /** Bounds of the ReLUs' values, [G, width]. */
  readonly tops: Float32Array;
  /** What emitChain reads of this layer. */
  readonly feeds: { readonly [name: string]: ort.Tensor };
}

/** Products below this are off by many of their own roundoffs: float32 may flush them to 0. */
const smallestProduct = 2 ** -100;

/** Neurons of one ball that are not inactive on it. NaN counts as alive, so that nothing is proven from it. */
function aliveNeurons(upper: Float32Array, ball: number, size: number): Int32Array {
  const list = new Int32Array(size);
  let count = 0;
  for (let j = 0, i = ball * size; j < size; j++, i++) if (!(upper[i] <= 0)) list[count++] = j;
  return list.subarray(0, count);
}

/** The group's neurons and their lines; the error weight counts the constants that a row adds up on its way (docs/soundness.md). */
function relaxed(
  { layers }: DenseChain,
  k: number,
  balls: readonly number[],
  bounds: NodeBounds,
): { alive: Int32Array[]; width: number; tops: Float32Array; lines: Relaxation } {
  const { size, bias } = layers[k];
  const terms = layers.reduce((sum, layer) => sum + layer.size, 4 * layers.length + 64);
  const g = gamma(terms);
  const alive = balls.map((ball) => aliveNeurons(bounds.upper, ball, size));
  const width = alive.reduce((most, list) => Math.max(most, list.length), 1);
  const count = balls.length * width;
  // Padding has the bounds of an inactive neuron.
  const lower = new Float32Array(count).fill(-1);
  const tops = new Float32Array(count).fill(-1);
  const error = new Float32Array(count);
  for (let b = 0; b < alive.length; b++) {
    const list = alive[b];
    const from = balls[b] * size;
    const to = b * width;
    for (let i = 0; i < list.length; i++) {
      const j = list[i];
      lower[to + i] = bounds.lower[from + j];
      tops[to + i] = bounds.upper[from + j];
      error[to + i] = bounds.error[from + j] + g * Math.abs(bias[j]);
    }
  }
  return { alive, width, tops, lines: relax(lower, tops, error, terms) };
}

/**
 * The first layer of the balls of a group, compacted. Leaving inactive neurons out is exact: their lines are 0 on the whole ball, so no
 * coefficient passes them (docs/soundness.md, "Compacted networks").
 *
 * @param balls rows of the chunk's tables
 * @param bounds [balls of the chunk, size]
 * @param radius [balls of the chunk, inputSize]
 * @param buffer an array of at least so many floats, for as long as the layer is in use
 */
export async function firstLayer(
  scale: Session,
  chain: DenseChain,
  balls: readonly number[],
  bounds: NodeBounds,
  radius: Float32Array,
  buffer: (size: number) => Float32Array,
): Promise<CompactLayer> {
  const { inputSize } = chain;
  const { size } = chain.layers[0];
  const { alive, width, tops, lines } = relaxed(chain, 0, balls, bounds);
  const groups = balls.length;
  const rows = width + 1;
  const lowerSlope = new Float32Array(groups * rows);
  const upperSlope = new Float32Array(groups * rows);
  const constants = new Float32Array(groups * 2 * rows);
  const index = new Int32Array(groups * rows).fill(size);
  for (let b = 0; b < groups; b++) {
    const list = alive[b];
    const from = balls[b] * size;
    for (let i = 0; i < list.length; i++) {
      const l = b * width + i;
      const value = bounds.centre[from + list[i]];
      index[b * rows + i] = list[i];
      lowerSlope[b * rows + i] = lines.lowerSlope[l];
      upperSlope[b * rows + i] = lines.upperSlope[l];
      constants[2 * b * rows + i] = lines.lowerSlope[l] * value + lines.lowerIntercept[l];
      constants[(2 * b + 1) * rows + i] = lines.upperSlope[l] * value + lines.upperIntercept[l];
    }
    constants[2 * b * rows + width] = constants[(2 * b + 1) * rows + width] = 1;
  }
  const radii =
    groups === 1
      ? radius.subarray(balls[0] * inputSize, (balls[0] + 1) * inputSize)
      : new Float32Array(groups * inputSize);
  if (groups > 1) {
    for (let b = 0; b < groups; b++) {
      radii.set(radius.subarray(balls[b] * inputSize, (balls[b] + 1) * inputSize), b * inputSize);
    }
  }
  const count = groups * rows * inputSize;
  const scaled = shapedTensor(buffer(count).subarray(0, count), [groups, rows, inputSize]);
  await scale.run(
    { index: indexTensor(index, [groups, rows]), radius: shapedTensor(radii, [groups, 1, inputSize]) },
    { scaled },
  );
  const feeds = {
    ls0: shapedTensor(lowerSlope, [groups, 1, rows]),
    us0: shapedTensor(upperSlope, [groups, 1, rows]),
    d0: shapedTensor(constants, [groups, 2 * rows, 1]),
    w0: scaled,
  };
  return { alive, width, tops, feeds };
}

/** A further layer of the balls of a group, compacted: lines times weights, and constants, as emitChain reads them. */
export function nextLayer(
  chain: DenseChain,
  k: number,
  balls: readonly number[],
  bounds: NodeBounds,
  before: CompactLayer,
): CompactLayer {
  const { weight, bias, size } = chain.layers[k];
  const { alive, width, tops, lines } = relaxed(chain, k, balls, bounds);
  const inner = weight.length / size;
  const columns = before.width + 1;
  const rows = width + 1;
  const groups = balls.length;
  const matrix = new Float32Array(groups * 2 * rows * columns);
  /** One line of one neuron times its weights; what float32 may lose of the products moves the intercept outward. */
  const put = (at: number, slope: number, intercept: number, outward: 1 | -1, j: number, b: number): void => {
    const list = before.alive[b];
    const from = j * inner;
    let lost = 0;
    if (slope === 1) for (let i = 0; i < list.length; i++) matrix[at + i] = weight[from + list[i]];
    else if (slope !== 0) {
      for (let i = 0; i < list.length; i++) {
        const product = slope * weight[from + list[i]];
        matrix[at + i] = product;
        if (product < smallestProduct && product > -smallestProduct && product !== 0) {
          lost += smallestProduct * Math.max(0, before.tops[b * before.width + i]);
        }
      }
    }
    matrix[at + columns - 1] = slope * bias[j] + intercept + outward * (lost + (slope === 0 ? 0 : smallestProduct));
  };
  for (let b = 0; b < groups; b++) {
    const list = alive[b];
    const below = 2 * b * rows;
    const above = below + rows;
    for (let i = 0; i < list.length; i++) {
      const l = b * width + i;
      put((below + i) * columns, lines.lowerSlope[l], lines.lowerIntercept[l], -1, list[i], b);
      put((above + i) * columns, lines.upperSlope[l], lines.upperIntercept[l], 1, list[i], b);
    }
    matrix[(below + width + 1) * columns - 1] = matrix[(above + width + 1) * columns - 1] = 1;
  }
  return { alive, width, tops, feeds: { [`d${k}`]: shapedTensor(matrix, [groups, 2 * rows, columns]) } };
}
