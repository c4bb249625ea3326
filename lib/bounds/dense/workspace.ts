import { type Arena, createArena } from '../arena';
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
 * @param mostBytes of an arena
 */
export function workspacesOf(chain: DenseChain, mostBytes: number): () => Workspace {
  let bytes = Math.min(mostBytes, 4 * chain.layers.reduce((sum, layer) => sum + layer.weight.length, 0) + firstBytes);
  let arena = createArena(bytes);
  let current = workspaceIn(chain, arena);
  return () => {
    if (arena?.isShort() && bytes < mostBytes) {
      bytes = Math.min(mostBytes, growth * bytes);
      const larger = createArena(bytes);
      if (larger) {
        arena = larger;
        current = workspaceIn(chain, arena);
      }
    }
    return current;
  };
}

function workspaceIn(chain: DenseChain, arena: Arena | undefined): Workspace {
  return { chain: arena ? inArena(chain, arena) : chain, buffers: buffers(arena) };
}
