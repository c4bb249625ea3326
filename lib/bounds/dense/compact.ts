import type * as ort from 'onnxruntime-node';
import type { Lend } from '../buffers';
import type { Effort } from '../chunk';
import type { NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { type Relaxation, relax } from '../relaxation';
import { gamma } from '../rounding';
import { indexTensor, shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { enlargeDiagonals, inputFactors } from './gram';

/** Tensors of a program, by input name. */
export type Feeds = { [name: string]: ort.Tensor };

/** One layer of G balls, each on its own neurons that are not inactive on it; its bounds are final. */
export interface CompactLayer {
  /** [G] lists, ascending; shorter ones are padded with neurons whose lines are 0. */
  readonly alive: readonly Int32Array[];
  /** Neurons of the longest list, and one for the constant. */
  readonly columns: number;
  /** What emitChain reads of this layer. */
  readonly feeds: Feeds;
}

/** Weights of a layer whose bounds are not final yet. */
export interface OpenLayer {
  /** [G] lists, ascending: neurons that are not inactive by what is known so far. */
  readonly neurons: readonly Int32Array[];
  /** Rows of each ball's weights: those of the longest list, and one of zeros at least. */
  readonly rows: number;
  /** [G, rows, columns]: weights on the neurons of the layer below, and the bias. */
  readonly weights: Float32Array;
  readonly columns: number;
}

/** Neurons of one ball that are not inactive on it. NaN counts as alive, so that nothing is proven from it. */
function aliveNeurons(upper: Float32Array, ball: number, size: number): Int32Array {
  let count = 0;
  const end = (ball + 1) * size;
  for (let i = ball * size; i < end; i++) if (!(upper[i] <= 0)) count++;
  const list = new Int32Array(count);
  for (let i = ball * size, k = 0; i < end; i++) if (!(upper[i] <= 0)) list[k++] = i - ball * size;
  return list;
}

/** Lines of the group's neurons, [G, columns]; the error weight counts the constants that a row adds up on its way (docs/soundness.md). */
function linesOf(
  { layers }: DenseChain,
  k: number,
  balls: readonly number[],
  bounds: NodeBounds,
  alive: readonly Int32Array[],
  columns: number,
  lend: Lend,
): Relaxation {
  const { size, bias } = layers[k];
  const terms = layers.reduce((sum, layer) => sum + layer.size, 4 * layers.length + 64);
  const g = gamma(terms);
  const count = balls.length * columns;
  // Padding has the bounds of an inactive neuron, and the constant those of an active one without errors.
  const lower = lend(count).fill(-1);
  const upper = lend(count).fill(-1);
  const error = lend(count).fill(0);
  for (let b = 0; b < alive.length; b++) {
    const list = alive[b];
    const from = balls[b] * size;
    const to = b * columns;
    for (let i = 0; i < list.length; i++) {
      const j = list[i];
      lower[to + i] = bounds.lower[from + j];
      upper[to + i] = bounds.upper[from + j];
      error[to + i] = bounds.error[from + j] + g * Math.abs(bias[j]);
    }
    lower[to + columns - 1] = upper[to + columns - 1] = 1;
  }
  return relax(lower, upper, error, terms, lend);
}

function lineFeeds(k: number, lines: Relaxation, groups: number, columns: number): Feeds {
  return {
    [`ls${k}`]: shapedTensor(lines.lowerSlope, [groups, 1, columns]),
    [`us${k}`]: shapedTensor(lines.upperSlope, [groups, 1, columns]),
    [`li${k}`]: shapedTensor(lines.lowerIntercept, [groups, columns, 1]),
    [`ui${k}`]: shapedTensor(lines.upperIntercept, [groups, columns, 1]),
  };
}

/**
 * The first layer of the balls of a group, compacted. Leaving inactive neurons out is exact: their lines are 0 on the whole ball, so no
 * coefficient passes them (docs/soundness.md, "Compacted networks").
 *
 * @param balls rows of the chunk's tables
 * @param bounds [balls of the chunk, size]
 * @param radius [balls of the chunk, inputSize]
 * @param lend for as long as the layer is in use
 */
export async function firstLayer(
  programs: Programs,
  effort: Effort,
  chain: DenseChain,
  balls: readonly number[],
  bounds: NodeBounds,
  radius: Float32Array,
  lend: Lend,
): Promise<CompactLayer> {
  const { inputSize, columnNorms } = chain;
  const { size } = chain.layers[0];
  const groups = balls.length;
  const alive = balls.map((ball) => aliveNeurons(bounds.upper, ball, size));
  const columns = alive.reduce((most, list) => Math.max(most, list.length), 1) + 1;
  const values = lend(groups * columns).fill(0);
  const index = new Int32Array(groups * columns).fill(size);
  for (let b = 0; b < groups; b++) {
    const list = alive[b];
    index.set(list, b * columns);
    for (let i = 0; i < list.length; i++) values[b * columns + i] = bounds.centre[balls[b] * size + list[i]];
    values[(b + 1) * columns - 1] = 1;
  }
  const places = indexTensor(index, [groups, columns]);
  const feeds: Feeds = {
    ...lineFeeds(0, linesOf(chain, 0, balls, bounds, alive, columns, lend), groups, columns),
    v0: shapedTensor(values, [groups, columns, 1]),
  };
  const own = shapedTensor(lend(groups * inputSize), [groups, 1, inputSize]);
  const perBall = own.data as Float32Array;
  if (effort === 'full') {
    for (let b = 0; b < groups; b++) {
      perBall.set(radius.subarray(balls[b] * inputSize, (balls[b] + 1) * inputSize), b * inputSize);
    }
    const count = groups * columns * inputSize;
    feeds.r0 = shapedTensor(lend(count), [groups, columns, inputSize]);
    await (await programs.scaledInput()).run({ index: places, radius: own }, { scaled: feeds.r0 });
  } else {
    const scales = inputFactors(radius, balls, columnNorms, perBall);
    const gram = lend(groups * columns * columns);
    feeds.g0 = shapedTensor(gram, [groups, columns, columns]);
    feeds.k0 = shapedTensor(scales, [groups, 1, 1]);
    await (await programs.roughInput()).run({ index: places, factor: own }, { gram: feeds.g0 });
    enlargeDiagonals(
      gram,
      alive.map((list) => list.length),
      inputSize,
    );
  }
  return { alive, columns, feeds };
}

/** Weights of the neurons of layer `k` >= 1 that are not inactive so far, on the compacted layer below. */
export function openLayer(
  { layers }: DenseChain,
  k: number,
  balls: readonly number[],
  upper: Float32Array,
  { alive, columns }: CompactLayer,
  lend: Lend,
): OpenLayer {
  const { size } = layers[k];
  const neurons = balls.map((ball) => aliveNeurons(upper, ball, size));
  return gatherRows(layers[k], neurons, alive, columns, lend);
}

/** All rows of the last layer. */
export function outputLayer({ layers }: DenseChain, { alive, columns }: CompactLayer, lend: Lend): OpenLayer {
  const last = layers[layers.length - 1];
  const every = Int32Array.from({ length: last.size }, (_, j) => j);
  return gatherRows(
    last,
    alive.map(() => every),
    alive,
    columns,
    lend,
  );
}

function gatherRows(
  { weight, bias, size }: DenseChain['layers'][number],
  neurons: readonly Int32Array[],
  alive: readonly Int32Array[],
  columns: number,
  lend: Lend,
): OpenLayer {
  const inner = weight.length / size;
  const rows = neurons.reduce((most, list) => Math.max(most, list.length), 0) + 1;
  const count = neurons.length * rows * columns;
  const weights = lend(count);
  for (let b = 0; b < neurons.length; b++) {
    const [list, below] = [neurons[b], alive[b]];
    const width = below.length;
    let to = b * rows * columns;
    for (let r = 0; r < list.length; r++, to += columns) {
      const from = list[r] * inner;
      for (let i = 0; i < width; i++) weights[to + i] = weight[from + below[i]];
      if (below.length < columns - 1) weights.fill(0, to + below.length, to + columns - 1);
      weights[to + columns - 1] = bias[list[r]];
    }
    weights.fill(0, to, (b + 1) * rows * columns);
  }
  return { neurons, rows, weights, columns };
}

/** The layer with final bounds, on the neurons that are left: rows move to the front of the open layer's weights, which must not be used after. */
export function closeLayer(
  chain: DenseChain,
  k: number,
  balls: readonly number[],
  bounds: NodeBounds,
  { neurons, rows, weights, columns: inner }: OpenLayer,
  lend: Lend,
): CompactLayer {
  const { size } = chain.layers[k];
  const groups = balls.length;
  const alive = neurons.map((list, b) => list.filter((j) => !(bounds.upper[balls[b] * size + j] <= 0)));
  const columns = alive.reduce((most, list) => Math.max(most, list.length), 1) + 1;
  // A ball's rows begin where they are, or before: columns <= rows, but where a layer has no neurons left on any ball.
  const matrix = columns <= rows ? weights : lend(groups * columns * inner);
  let to = 0;
  for (let b = 0; b < groups; b++) {
    const list = neurons[b];
    for (let r = 0; r < list.length; r++) {
      if (bounds.upper[balls[b] * size + list[r]] <= 0) continue;
      const from = (b * rows + r) * inner;
      if (from !== to) matrix.copyWithin(to, from, from + inner);
      to += inner;
    }
    const end = (b + 1) * columns * inner;
    matrix.fill(0, to, end);
    matrix[end - 1] = 1;
    to = end;
  }
  const feeds = {
    ...lineFeeds(k, linesOf(chain, k, balls, bounds, alive, columns, lend), groups, columns),
    [`w${k}`]: shapedTensor(matrix.subarray(0, to), [groups, columns, inner]),
  };
  return { alive, columns, feeds };
}
