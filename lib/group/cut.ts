import type { ClusterTree } from './tree';

/** Members that stand next to each other in a cluster tree, with the boundaries between them. */
export interface Run {
  /** Inputs in the order of the tree. */
  readonly inputs: Uint32Array;
  /** [inputs.length] Depth of the shallowest cut of the tree between inputs[i - 1] and inputs[i]; entry 0 is unused. */
  readonly depths: Uint8Array;
}

/** The still wanted members of a tree, in its order. Between two of them counts the shallowest cut that was there. */
export function runOf(tree: ClusterTree, isWanted: (input: number) => boolean): Run {
  const inputs = new Uint32Array(tree.order.length);
  const depths = new Uint8Array(tree.order.length);
  let count = 0;
  let shallowest = 255;
  for (let i = 0; i < tree.order.length; i++) {
    if (tree.depths[i] < shallowest) shallowest = tree.depths[i];
    if (!isWanted(tree.order[i])) continue;
    inputs[count] = tree.order[i];
    depths[count++] = shallowest;
    shallowest = 255;
  }
  return { inputs: inputs.slice(0, count), depths: depths.slice(0, count) };
}

/**
 * Where a mini-batch that begins at `start` ends (exclusive; at most `end`): of the boundaries that give it more than half
 * of the wanted size, the shallowest, so that whole subtrees stay together; of equal ones the last.
 */
export function cutAfter(run: Run, start: number, end: number, size: number): number {
  if (end - start <= size) return end;
  let cut = start + size;
  for (let i = cut - 1; i > start + size / 2; i--) {
    if (run.depths[i] < run.depths[cut]) cut = i;
  }
  return cut;
}

/**
 * Cuts entries `start` to `end` of the run into mini-batches of similar inputs, each of about the size that `nextSize`
 * (given how many are left) asks for and never more. Every input is in exactly one.
 */
export function cutMiniBatches(
  run: Run,
  nextSize: (left: number) => number,
  start = 0,
  end = run.inputs.length,
): { readonly inputs: Uint32Array; readonly size: number }[] {
  const batches: { inputs: Uint32Array; size: number }[] = [];
  for (let at = start; at < end; ) {
    const size = nextSize(end - at);
    if (!(size >= 1)) throw new RangeError(`a mini-batch needs a size of 1 or more, not ${size}`);
    const next = cutAfter(run, at, end, size);
    batches.push({ inputs: run.inputs.slice(at, next).sort(), size });
    at = next;
  }
  return batches;
}
