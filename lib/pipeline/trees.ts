import type { ClusterTree } from '../group/tree';

const magic = 0x52545642; // 'BVTR'

/** Cluster trees by label as bytes: 'BVTR', version 1, count; then label and size of each (int32); then orders, then depths. */
export function encodeTrees(trees: ReadonlyMap<number, ClusterTree>): Uint8Array {
  const entries = [...trees.entries()];
  const members = entries.reduce((sum, [, { order }]) => sum + order.length, 0);
  const head = [magic, 1, entries.length, ...entries.flatMap(([label, { order }]) => [label, order.length])];
  const bytes = new Uint8Array(4 * head.length + 5 * members);
  bytes.set(new Uint8Array(Uint32Array.from(head).buffer));
  let at = 4 * head.length;
  for (const [, { order }] of entries) {
    bytes.set(new Uint8Array(order.slice().buffer), at);
    at += 4 * order.length;
  }
  for (const [, { depths }] of entries) {
    bytes.set(depths, at);
    at += depths.length;
  }
  return bytes;
}

/** The trees of `encodeTrees`; an Error when the bytes are not such. */
export function decodeTrees(bytes: Uint8Array): Map<number, ClusterTree> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0, true) !== magic || view.getUint32(4, true) !== 1) {
    throw new Error('the stored cluster trees are not of version 1');
  }
  const count = view.getUint32(8, true);
  if (bytes.length < 12 + 8 * count) throw cutOff();
  const sizes = Array.from({ length: count }, (_, i) => ({
    label: view.getUint32(12 + 8 * i, true),
    size: view.getUint32(16 + 8 * i, true),
  }));
  const members = sizes.reduce((sum, { size }) => sum + size, 0);
  const start = 12 + 8 * count;
  if (bytes.length !== start + 5 * members) throw cutOff();
  const trees = new Map<number, ClusterTree>();
  let at = 0;
  for (const { label, size } of sizes) {
    const order = new Uint32Array(bytes.slice(start + 4 * at, start + 4 * (at + size)).buffer);
    const depths = bytes.slice(start + 4 * members + at, start + 4 * members + at + size);
    trees.set(label, { order, depths });
    at += size;
  }
  return trees;
}

function cutOff(): Error {
  return new Error('the stored cluster trees are cut off');
}
