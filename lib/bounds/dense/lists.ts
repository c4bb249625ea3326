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
  let most = 0;
  for (const own of count) if (own > most) most = own;
  return most;
}

/** The lists of some of the balls, in the same memory. @param kept ascending */
export function keepLists({ size, list, count }: NeuronLists, kept: readonly number[]): NeuronLists {
  for (let to = 0; to < kept.length; to++) {
    const from = kept[to];
    if (to !== from) list.copyWithin(to * size, from * size, (from + 1) * size);
  }
  return { size, list: list.subarray(0, kept.length * size), count: Int32Array.from(kept, (place) => count[place]) };
}

/** The bits of float32 numbers, in the same memory. */
export function bitsOf(floats: Float32Array): Int32Array {
  return new Int32Array(floats.buffer, floats.byteOffset, floats.length);
}

/**
 * 0 for a float32 number below 0, and for 0; else 1, also for NaN, so that nothing is proven from it, and for -0. From its bits, because a branch that goes either
 * way at random takes as long as ten other instructions, and every bound is asked: lists are made in a third of the time.
 */
export function isAbove0(bits: number): number {
  // Above 0 the negative is below it; of what has the sign, all from 0xff800001 up is NaN.
  return ((0 - bits) >>> 31) | ((bits >>> 31) & ~((bits + 0x7fffff) >>> 31));
}

/** 1 for a float32 number with the sign: one below 0, -0, or some NaN. */
export function hasSign(bits: number): number {
  return bits >>> 31;
}

/** Neurons of a layer that are not inactive on each of some balls, ascending. NaN is here, so that nothing is proven from it. @param upper [balls of the chunk, size] */
export function aliveLists(upper: Float32Array, balls: readonly number[], size: number, lend: Lend): NeuronLists {
  const lists = emptyLists(balls.length, size, lend);
  const { list, count } = lists;
  const bits = bitsOf(upper);
  for (let b = 0; b < balls.length; b++) {
    const start = b * size;
    let own = 0;
    // A neuron that is not kept is overwritten by the next one.
    for (let j = 0, i = balls[b] * size; j < size; j++, i++) {
      list[start + own] = j;
      own += isAbove0(bits[i]);
    }
    count[b] = own;
  }
  return lists;
}

/** Neurons that are not inactive, in two lists: those that may be of either sign, and the rest; NaN is in either. @param lower, upper [balls of the chunk, size] */
export function splitLists(
  lower: Float32Array,
  upper: Float32Array,
  balls: readonly number[],
  size: number,
  lend: Lend,
): { readonly unstable: NeuronLists; readonly steady: NeuronLists } {
  const unstable = aliveLists(upper, balls, size, lend);
  const steady = emptyLists(balls.length, size, lend);
  const bits = bitsOf(lower);
  for (let b = 0; b < balls.length; b++) {
    const start = b * size;
    const first = balls[b] * size;
    const last = unstable.count[b];
    let [open, rest] = [0, 0];
    for (let n = 0; n < last; n++) {
      const j = unstable.list[start + n];
      const isOpen = hasSign(bits[first + j]);
      // In place: no neuron moves up.
      unstable.list[start + open] = j;
      steady.list[start + rest] = j;
      open += isOpen;
      rest += 1 - isOpen;
    }
    unstable.count[b] = open;
    steady.count[b] = rest;
  }
  return { unstable, steady };
}
