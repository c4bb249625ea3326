import type { ClusterTree } from '../group/tree';

/** The cluster tree that halves the order again and again: of inputs about whose likeness nothing is said. */
export function balancedTree(order: ArrayLike<number>): ClusterTree {
  const depths = new Uint8Array(order.length);
  const halve = (start: number, end: number, depth: number): void => {
    if (end - start < 2) return;
    const middle = (start + end) >>> 1;
    depths[middle] = depth;
    halve(start, middle, depth + 1);
    halve(middle, end, depth + 1);
  };
  halve(0, order.length, 0);
  return { order: Uint32Array.from(order), depths };
}
