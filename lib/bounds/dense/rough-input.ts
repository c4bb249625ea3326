import type { Lend } from '../buffers';
import type { NodeBounds } from '../forward-pass';
import type { Programs } from '../programs';
import { indexTensor, shapedTensor } from '../sessions';
import type { DenseChain } from './chain';
import { inputFactors } from './gram';
import { aliveLists } from './lists';

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
  const { list, count } = aliveLists(upper, balls, size, lend);
  /** Places in `balls`, those with as many neurons together. */
  const order = [...balls.keys()].sort((a, b) => count[a] - count[b] || a - b);
  const placeOf = new Map(balls.map((ball, place) => [ball, place]));
  const scales = new Float32Array(balls.length);
  const matrices: { readonly gram: Float32Array; readonly start: number; readonly width: number }[] = [];
  const session = await programs.roughInput();
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && (end + 1 - first) * count[order[end]] <= rowsPerCall) end++;
    const some = order.slice(first, end);
    // One neuron at least: an index past the last row is a row of zeros.
    const width = Math.max(1, count[some[some.length - 1]]);
    const index = new Int32Array(some.length * width).fill(size);
    for (let b = 0; b < some.length; b++)
      for (let n = 0; n < count[some[b]]; n++) index[b * width + n] = list[some[b] * size + n];
    const factors = lend(some.length * inputSize);
    const ownBalls = some.map((place) => balls[place]);
    const own = inputFactors(radius, ownBalls, columnNorms, factors);
    const gram = lend(some.length * width * width);
    await session.run(
      {
        index: indexTensor(index, [some.length, width]),
        factor: shapedTensor(factors, [some.length, 1, inputSize]),
      },
      { gram: shapedTensor(gram, [some.length, width, width]) },
    );
    for (let b = 0; b < some.length; b++) {
      scales[some[b]] = own[b];
      matrices[some[b]] = { gram, start: b * width * width, width };
    }
    first = end;
  }
  return {
    scale: (ball) => scales[placeOf.get(ball)!],
    place(ball, columns, to, start) {
      const place = placeOf.get(ball)!;
      const { gram, start: first, width } = matrices[place];
      const own = count[place];
      let at = start;
      for (let row = 0; row < own; row++) {
        const from = first + row * width;
        for (let column = 0; column < own; column++) to[at + column] = gram[from + column];
        for (let column = own; column < columns; column++) to[at + column] = 0;
        at += columns;
      }
      to.fill(0, at, start + columns * columns);
    },
  };
}
