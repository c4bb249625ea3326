import { type Arena, createArena, mostBytes } from '../arena';
import { type Buffers, buffers } from '../buffers';
import { type DenseChain, inArena } from './chain';

/** What balls of a chain are bounded with: arrays, and the chain with its weights beside them, where rows are gathered in WebAssembly. */
export interface Workspace {
  readonly chain: DenseChain;
  readonly buffers: Buffers;
}

/**
 * Bytes of the first arena besides the weights: enough for a few balls. The garbage collector counts all of an arena from the start, used or not, and marks the heap again and again where a
 * process makes an engine after the other: thirty properties of mnist-net_256x2 took 5.1 CPU-seconds with 16 MiB each, 6.5 with 32 or 256.
 */
const firstBytes = 2 ** 22;
/** Larger than the one before. */
const growth = 4;

/**
 * Hands out the workspace for one chunk. When one before had no room for all of its arrays, and kept some on the heap, where they are gathered plainly, there will be a larger one:
 * a new one, because the arrays of a WebAssembly memory that grows become empty. Chunks that have the old one end with it. Without any memory to have all is on the heap.
 *
 * @param allowed bytes of an arena, at most
 */
export function workspacesOf(chain: DenseChain, allowed: number): () => Workspace {
  const most = Math.min(allowed, mostBytes);
  const weights = chain.layers.reduce(
    (sum, { weight, bias }, k) => sum + (k === 0 ? 0 : weight.length + bias.length),
    0,
  );
  let bytes = Math.min(most, 4 * weights + firstBytes);
  let arena = createArena(bytes);
  let current = workspaceIn(chain, arena);
  return () => {
    if (arena?.isShort() && bytes < most) {
      const wanted = Math.min(most, growth * bytes);
      const larger = createArena(wanted);
      // Where there is none, no other size is tried.
      bytes = larger ? wanted : most;
      arena = larger ?? arena;
      if (larger) current = workspaceIn(chain, larger);
    }
    return current;
  };
}

function workspaceIn(chain: DenseChain, arena: Arena | undefined): Workspace {
  return { chain: arena ? inArena(chain, arena) : chain, buffers: buffers(arena) };
}
