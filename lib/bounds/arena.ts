/**
 * Linear memory for what WebAssembly computes on, as large as it will ever be: the arrays of a memory that grows become empty. It takes room only where it has been
 * written to.
 */
export interface Arena {
  readonly memory: WebAssembly.Memory;
  /** An array of so many floats that nobody else has, all 0; undefined where there is no room left. There is no way to give it back. */
  take(size: number): Float32Array | undefined;
  /** Whether there was no room for an array. */
  isShort(): boolean;
  /** Whether the array is in this memory. */
  holds(array: Float32Array | Int32Array): boolean;
}

const pageBytes = 2 ** 16;
/** Of an arena: then every address is positive as an int32, and no sum of two overflows. */
export const mostBytes = 2 ** 30;
/** For loads of four floats. */
const alignment = 16;

/** Memory of a size that stays, in whole pages; undefined where the system has no such range of addresses to give, as under a limit on virtual memory. */
export function fixedMemory(bytes: number): WebAssembly.Memory | undefined {
  const pages = Math.ceil(bytes / pageBytes);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Undefined where there is no memory to have. */
export function createArena(bytes: number): Arena | undefined {
  const memory = fixedMemory(Math.min(bytes, mostBytes));
  if (memory === undefined) return undefined;
  const { buffer } = memory;
  let free = 0;
  let isShort = false;
  return {
    memory,
    take(size) {
      if (free + 4 * size > buffer.byteLength) {
        isShort = true;
        return undefined;
      }
      const start = free;
      free += Math.ceil((4 * size) / alignment) * alignment;
      return new Float32Array(buffer, start, size);
    },
    isShort: () => isShort,
    holds: (array) => array.buffer === buffer,
  };
}
