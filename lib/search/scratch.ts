import { fixedMemory } from '../bounds/arena';
import { type AscendSlopes, ascenderIn, ascendPlainly } from './ascend';

/**
 * Arrays for one call of the optimiser after the other, so that neither the garbage collector nor the operating system need see to
 * them: what a call takes is its own until the next one begins.
 */
export interface Scratch {
  /** Everything taken before may be given away again. */
  begin(): void;
  /** So many floats, all 0. */
  floats(size: number): Float32Array;
  /** So many bytes, all 0. */
  bytes(size: number): Int8Array;
  /** So many integers, with whatever was there before. */
  integers(size: number): Int32Array;
  /** The fastest one for arrays that were taken from here. */
  readonly ascend: AscendSlopes;
}

/** Bytes that are kept, at most; what does not fit is made anew each time. */
const most = 1 << 24;
/** Arrays begin at multiples of so many bytes, and nobody else's are in the rest: `ascend` may write there. At least 16. */
const alignment = 64;

export function createScratch(): Scratch {
  let kept = new ArrayBuffer(0);
  let needed = 0;
  let ascend = ascendPlainly;
  const place = (bytes: number): { readonly buffer: ArrayBuffer; readonly at: number } => {
    const at = needed;
    needed += Math.ceil(bytes / alignment) * alignment;
    return needed <= kept.byteLength ? { buffer: kept, at } : { buffer: new ArrayBuffer(bytes), at: 0 };
  };
  return {
    begin() {
      const wanted = Math.min(most, needed);
      if (wanted > kept.byteLength) {
        const bytes = Math.min(most, Math.ceil(wanted / 2 ** 16) * 2 ** 17);
        const memory = fixedMemory(bytes);
        kept = memory?.buffer ?? new ArrayBuffer(bytes);
        ascend = memory ? ascenderIn(memory) : ascendPlainly;
      }
      needed = 0;
    },
    get ascend() {
      return ascend;
    },
    floats(size) {
      const { buffer, at } = place(4 * size);
      return new Float32Array(buffer, at, size).fill(0);
    },
    bytes(size) {
      const { buffer, at } = place(size);
      return new Int8Array(buffer, at, size).fill(0);
    },
    integers(size) {
      const { buffer, at } = place(4 * size);
      return new Int32Array(buffer, at, size);
    },
  };
}
