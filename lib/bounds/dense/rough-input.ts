import type { Lend } from '../buffers';
import type { NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { indexTensor, shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { inputFactors } from './gram';
import { aliveOf } from './lists';

/** What rough passes have in the place of the first weights (gram.ts), of each ball. */
export interface RoughInput {
  /** The k of the ball. */
  scale(ball: number): number;
  /** Writes the Gram matrix of the ball's neurons that are not inactive, ascending, in rows of `columns`; the rest, [columns, columns], is 0. */
  place(ball: number, columns: number, to: Float32Array, start: number): void;
}

/** Rows of first weights that a call multiplies: they fit the second-level cache. */
const rowsPerCall = 384;

/**
 * Gram matrices of some balls. Those with equally many neurons share calls, whatever groups they are in later: within a group, padded to its largest, the products would
 * be up to twice as many.
 *
 * @param balls rows of the tables
 * @param upper of the first layer, [balls of the chunk, size]
 * @param radius [balls of the chunk, n]
 * @param lend for as long as the result is in use
 */
export async function roughInput(
  programs: Programs,
  { layers, inputSize, columnNorms }: DenseChain,
  balls: readonly number[],
  { upper }: Pick<NodeBounds, 'upper'>,
  radius: Float32Array,
  lend: Lend,
): Promise<RoughInput> {
  const { size } = layers[0];
  const lists = new Map(balls.map((ball) => [ball, aliveOf(upper, ball, size)]));
  const count = (ball: number): number => lists.get(ball)!.length;
  const order = [...balls].sort((a, b) => count(a) - count(b) || a - b);
  const scales = new Map<number, number>();
  const matrices = new Map<number, { readonly gram: Float32Array; readonly width: number }>();
  const session = await programs.roughInput();
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && (end + 1 - first) * count(order[end]) <= rowsPerCall) end++;
    const some = order.slice(first, end);
    // One neuron at least: an index past the last row is a row of zeros.
    const width = Math.max(1, count(some[some.length - 1]));
    const index = new Int32Array(some.length * width).fill(size);
    for (const [b, ball] of some.entries()) index.set(lists.get(ball)!, b * width);
    const factors = lend(some.length * inputSize);
    const own = inputFactors(radius, some, columnNorms, factors);
    const gram = lend(some.length * width * width);
    await session.run(
      {
        index: indexTensor(index, [some.length, width]),
        factor: shapedTensor(factors, [some.length, 1, inputSize]),
      },
      { gram: shapedTensor(gram, [some.length, width, width]) },
    );
    for (const [b, ball] of some.entries()) {
      scales.set(ball, own[b]);
      matrices.set(ball, { gram: gram.subarray(b * width * width, (b + 1) * width * width), width });
    }
    first = end;
  }
  return {
    scale: (ball) => scales.get(ball)!,
    place(ball, columns, to, start) {
      const { gram, width } = matrices.get(ball)!;
      const own = count(ball);
      let at = start;
      for (let row = 0; row < own; row++) {
        const from = row * width;
        for (let column = 0; column < own; column++) to[at + column] = gram[from + column];
        to.fill(0, at + own, at + columns);
        at += columns;
      }
      to.fill(0, at, start + columns * columns);
    },
  };
}
