import type { Lend } from '../buffers';

/** A list of neurons for each of G balls, of a layer of `size`. */
export interface NeuronLists {
  readonly size: number;
  /** [G, size]; the first `count[g]` of row g are the list. */
  readonly list: Int32Array;
  readonly count: Int32Array;
}

/** Lists to be filled, all empty. */
export function emptyLists(balls: number, size: number, lend: Lend): NeuronLists {
  const floats = lend(balls * size);
  return {
    size,
    list: new Int32Array(floats.buffer, floats.byteOffset, floats.length),
    count: new Int32Array(balls),
  };
}

/** The length of the longest list. */
export function longest({ count }: NeuronLists): number {
  return count.reduce((most, own) => Math.max(most, own), 0);
}

/** The lists of some of the balls, in the same memory. @param kept ascending */
export function keepLists({ size, list, count }: NeuronLists, kept: readonly number[]): NeuronLists {
  for (const [to, from] of kept.entries()) if (to !== from) list.copyWithin(to * size, from * size, (from + 1) * size);
  return { size, list: list.subarray(0, kept.length * size), count: Int32Array.from(kept, (place) => count[place]) };
}

/** Neurons of a layer that are not inactive on a ball, ascending. NaN is here, so that nothing is proven from it. @param upper [balls, size] */
export function aliveOf(upper: Float32Array, ball: number, size: number): number[] {
  const alive: number[] = [];
  for (let j = 0, i = ball * size; j < size; j++, i++) if (!(upper[i] <= 0)) alive.push(j);
  return alive;
}
