import type * as ort from 'onnxruntime-node';
import type { Lend } from '../buffers';
import type { NodeBounds } from '../forward-pass';
import { gamma } from '../rounding';
import { shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { inputWeights, startsOf } from './gather';
import { enlargeDiagonals } from './gram';
import { type ScaledLines, scaledLines } from './lines';
import { aliveLists, bitsOf, emptyLists, isAbove0, longest, type NeuronLists, splitLists } from './lists';
import type { RoughInput } from './rough-input';

/** Tensors of a program, by input name. */
export type Feeds = { [name: string]: ort.Tensor };

/** One layer of G balls, each on its own neurons that are not inactive on it; its bounds are final. */
export interface CompactLayer {
  /** In the order of the columns; shorter ones are padded with neurons whose lines are 0. */
  readonly alive: NeuronLists;
  /** Neurons of the longest list, and one for the constant. */
  readonly columns: number;
  /** [G, columns]: what the weights on these neurons are stored with (lines.ts). */
  readonly scale: Float32Array;
  /** Terms that a row's constant adds up from here on. */
  readonly terms: number;
  /** What emitChain reads of this layer, [G, ...] each. */
  readonly feeds: Feeds;
}

/** Neurons of a layer that are not inactive by what is known so far, sorted out. */
export interface OpenLayer {
  /** Those that may be of either sign: rows decide. */
  readonly unstable: NeuronLists;
  /** All others. NaN is in either list, so that nothing is proven from it. */
  readonly steady: NeuronLists;
  /** [G, perBall, columns of the layer below]: weights of the unstable neurons, scaled, and the bias. */
  readonly rows: Float32Array;
  readonly perBall: number;
}

/** Roundings of a row's constant besides the sums over columns: per layer, and at the end. */
const roundingsOfConstants = { perLayer: 8, once: 64 };

/** @param columns of this layer. @param below the layer below */
function termsOf(columns: number, below: number): number {
  return below + columns + roundingsOfConstants.perLayer;
}

/**
 * The first layer of the balls of a group, compacted. Leaving inactive neurons out is exact: their lines are 0 on the whole ball, so no
 * coefficient passes them (docs/soundness.md, "Compacted networks").
 *
 * @param balls rows of the chunk's tables
 * @param bounds [balls of the chunk, size], with values at the centres
 * @param radius [balls of the chunk, inputSize]
 * @param rough of these balls; undefined for a full pass, which has products with the input
 * @param lend for as long as the layer is in use
 */
export function firstLayer(
  chain: DenseChain,
  balls: readonly number[],
  bounds: NodeBounds,
  radius: Float32Array,
  rough: RoughInput | undefined,
  lend: Lend,
): CompactLayer {
  const { inputSize } = chain;
  const { size } = chain.layers[0];
  const groups = balls.length;
  const alive = aliveLists(bounds.upper, balls, size, lend);
  const columns = Math.max(1, longest(alive)) + 1;
  const terms = termsOf(columns, roundingsOfConstants.once);
  const lines = scaledLines(bounds, bounds.centre!, balls, alive, columns, gamma(terms), lend);
  // The value at the centre is the constant of each neuron.
  const feeds: Feeds = {
    ...lineFeeds(0, lines, groups, columns),
    v0: shapedTensor(lines.shift, [groups, columns, 1]),
  };
  if (rough === undefined) {
    const own = lend(groups * inputSize);
    for (let b = 0; b < groups; b++) {
      own.set(radius.subarray(balls[b] * inputSize, (balls[b] + 1) * inputSize), b * inputSize);
    }
    feeds.r0 = shapedTensor(own, [groups, inputSize, 1]);
    feeds.w0 = shapedTensor(inputWeights(chain, alive, columns, lend), [groups, columns, inputSize]);
  } else {
    const gram = lend(groups * columns * columns);
    for (let b = 0; b < groups; b++) rough.place(balls[b], columns, gram, b * columns * columns);
    enlargeDiagonals(gram, alive.count, inputSize);
    feeds.g0 = shapedTensor(gram, [groups, columns, columns]);
    feeds.k0 = shapedTensor(Float32Array.from(balls, rough.scale), [groups, 1]);
  }
  return { alive, columns, scale: lines.scale, terms, feeds };
}

function lineFeeds(k: number, { ratio, bend }: ScaledLines, groups: number, columns: number): Feeds {
  return {
    [`ratio${k}`]: shapedTensor(ratio, [groups, 1, columns]),
    [`bend${k}`]: shapedTensor(bend, [groups, columns, 1]),
  };
}

/** Sorts the neurons of layer `k` >= 1, and gathers the weights of those that may be of either sign, on the compacted layer below. */
export function openLayer(
  { layers, gatherRows }: DenseChain,
  k: number,
  balls: readonly number[],
  { lower, upper }: NodeBounds,
  below: CompactLayer,
  lend: Lend,
): OpenLayer {
  const layer = layers[k];
  const { size } = layer;
  const { unstable, steady } = splitLists(lower, upper, balls, size, lend);
  const perBall = longest(unstable);
  const rows = lend(balls.length * perBall * below.columns);
  const starts = startsOf(balls.length, perBall * below.columns);
  gatherRows(layer, unstable, below, rows, starts);
  for (let b = 0; b < balls.length; b++)
    rows.fill(0, starts[b] + unstable.count[b] * below.columns, starts[b] + perBall * below.columns);
  return { unstable, steady, rows, perBall };
}

/** The layer on the neurons that are left, when its upper bounds are final. */
export interface ClosingLayer {
  /** First those that may still be of either sign, as many as `unstable`, then the steady ones. */
  readonly alive: NeuronLists;
  readonly unstable: Int32Array;
  readonly columns: number;
  /** [G, columns, columns of the layer below]; the last column and row wait for the lines. */
  readonly weights: Float32Array;
  /** [G, perBall, columns of the layer below]: weights of the unstable neurons. */
  readonly rows: Float32Array;
  readonly perBall: number;
}

/**
 * Leaves out neurons that turned out inactive. Rows of the open layer move together in place: it must not be used any more.
 *
 * @param upper [balls of the chunk, size]
 * @param lend for as long as the layer is in use. @param lendForNow until it is closed
 */
export function shrinkLayer(
  { layers, gatherRows }: DenseChain,
  k: number,
  balls: readonly number[],
  upper: Float32Array,
  { unstable, steady, rows, perBall: before }: OpenLayer,
  below: CompactLayer,
  lend: Lend,
  lendForNow: Lend,
): ClosingLayer {
  const { size } = layers[k];
  const inner = below.columns;
  const groups = balls.length;
  const alive = emptyLists(groups, size, lend);
  /** Places in the open layer of the unstable neurons that are left. */
  const kept = emptyLists(groups, size, lendForNow);
  const bits = bitsOf(upper);
  for (let b = 0; b < groups; b++) {
    const start = b * size;
    let count = 0;
    for (let r = 0; r < unstable.count[b]; r++) {
      const j = unstable.list[start + r];
      kept.list[start + count] = r;
      alive.list[start + count] = j;
      count += isAbove0(bits[balls[b] * size + j]);
    }
    kept.count[b] = count;
    for (let r = 0; r < steady.count[b]; r++) alive.list[start + count++] = steady.list[start + r];
    alive.count[b] = count;
  }
  const columns = Math.max(1, longest(alive)) + 1;
  const perBall = longest(kept);
  const weights = lend(groups * columns * inner);
  /** Where the weights of the steady neurons begin. */
  const rest = new Int32Array(groups);
  for (let b = 0; b < groups; b++) {
    const start = b * perBall * inner;
    const end = start + kept.count[b] * inner;
    // No row moves up, and every row that it moves over was moved already. Rows that stay together move together.
    for (let n = b * size, to = start; to < end; ) {
      const place = kept.list[n];
      let next = n + 1;
      while (next < b * size + kept.count[b] && kept.list[next] === place + next - n) next++;
      const from = (b * before + place) * inner;
      const length = (next - n) * inner;
      if (from !== to) rows.copyWithin(to, from, from + length);
      to += length;
      n = next;
    }
    const first = b * columns * inner;
    weights.set(rows.subarray(start, end), first);
    rest[b] = first + end - start;
    weights.fill(0, rest[b] + steady.count[b] * inner, first + columns * inner);
  }
  gatherRows(layers[k], steady, below, weights, rest);
  // After its own rows have moved: until then rows of the ball may be where its padding is.
  for (let b = 0; b < groups; b++) rows.fill(0, (b * perBall + kept.count[b]) * inner, (b + 1) * perBall * inner);
  return { alive, unstable: kept.count, columns, weights, rows: rows.subarray(0, groups * perBall * inner), perBall };
}

/** The layer with final bounds. */
export function closeLayer(
  { layers }: DenseChain,
  k: number,
  balls: readonly number[],
  bounds: NodeBounds,
  { alive, columns, weights }: ClosingLayer,
  below: CompactLayer,
  lend: Lend,
): CompactLayer {
  const groups = balls.length;
  const inner = below.columns;
  const terms = termsOf(columns, below.terms);
  const lines = scaledLines(bounds, layers[k].bias, balls, alive, columns, gamma(terms), lend);
  for (let b = 0; b < groups; b++) {
    // The bias, with what the lines add to it, and the constant of rows that come from above.
    for (let n = 0; n < columns; n++) weights[(b * columns + n + 1) * inner - 1] = lines.shift[b * columns + n];
  }
  const feeds = {
    ...lineFeeds(k, lines, groups, columns),
    [`w${k}`]: shapedTensor(weights, [groups, columns, inner]),
  };
  return { alive, columns, scale: lines.scale, terms, feeds };
}
