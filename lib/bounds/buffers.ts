import type { Arena } from './arena';

/** Large arrays that are used again, so that the garbage collector need not see to them. Sizes are rounded up to powers of two. */
export interface Buffers {
  /** An array of at least so many floats, with whatever was in it before; its own until it is given back. */
  take(size: number): Float32Array;
  /** The caller must not touch the array afterwards. */
  give(array: Float32Array): void;
}

/** Longest array of an arena: first weights of full passes are longer, which nothing but ONNX Runtime computes on, and would fill it. */
const longestInArena = 2 ** 18;

/** @param arena where arrays are taken from while it has room */
export function buffers(arena?: Arena): Buffers {
  const free = new Map<number, Float32Array[]>();
  return {
    take(size) {
      const rounded = 2 ** Math.ceil(Math.log2(Math.max(1, size)));
      const again = free.get(rounded)?.pop();
      if (again !== undefined) return again;
      return (rounded <= longestInArena ? arena?.take(rounded) : undefined) ?? new Float32Array(rounded);
    },
    give(array) {
      const same = free.get(array.length);
      if (same) same.push(array);
      else free.set(array.length, [array]);
    },
  };
}

/** Lends an array of so many floats, with whatever was in it before. */
export type Lend = (size: number) => Float32Array;

/** New arrays. */
export const fresh: Lend = (size) => new Float32Array(size);

/** Lends from the buffers until everything lent is given back at once; nothing lent may be used after. */
export function lender(buffers: Buffers): { readonly lend: Lend; readonly giveBack: () => void } {
  const taken: Float32Array[] = [];
  return {
    lend(size) {
      const array = buffers.take(size);
      taken.push(array);
      return array.subarray(0, size);
    },
    giveBack() {
      for (const array of taken.splice(0)) buffers.give(array);
    },
  };
}
