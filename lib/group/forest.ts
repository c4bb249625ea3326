import { BadInputError } from '../errors';
import type { Fingerprints } from './fingerprint';
import { buildTree, type ClusterTree } from './tree';

/** The cluster tree of each label, by label. */
export type Forest = ReadonlyMap<number, ClusterTree>;

/**
 * One tree per label, of the inputs 0 ... count - 1 with that label; `isLeftOut` (misclassified inputs, say) are in none.
 * labels: [count].
 */
export function buildForest(
  prints: Fingerprints,
  labels: ArrayLike<number>,
  seed: number,
  isLeftOut: (input: number) => boolean = () => false,
): Map<number, ClusterTree> {
  const members = new Map<number, number[]>();
  for (let input = 0; input < prints.count; input++) {
    if (isLeftOut(input)) continue;
    const ofLabel = members.get(labels[input]);
    if (ofLabel === undefined) members.set(labels[input], [input]);
    else ofLabel.push(input);
  }
  const sorted = [...members].sort(([a], [b]) => a - b);
  return new Map(sorted.map(([label, inputs]) => [label, buildTree(prints, inputs, seed + label)]));
}

const magic = 0x46465642; // 'BVFF'

/**
 * The forest as bytes: 'BVFF', version 1, the number of trees, then label and size of each, all uint32; then every tree's
 * order (uint32), then every tree's depths; little-endian.
 */
export function encodeForest(forest: Forest): Uint8Array {
  const trees = [...forest];
  const head = new Uint32Array([
    magic,
    1,
    trees.length,
    ...trees.flatMap(([label, tree]) => [label, tree.order.length]),
  ]);
  const inputs = trees.reduce((sum, [, tree]) => sum + tree.order.length, 0);
  const bytes = new Uint8Array(head.byteLength + 5 * inputs);
  bytes.set(new Uint8Array(head.buffer), 0);
  let at = head.byteLength;
  for (const [, { order }] of trees) {
    bytes.set(new Uint8Array(order.buffer, order.byteOffset, order.byteLength), at);
    at += order.byteLength;
  }
  for (const [, { depths }] of trees) {
    bytes.set(depths, at);
    at += depths.length;
  }
  return bytes;
}

/** The forest of `encodeForest`. BadInputError when the bytes are not such. */
export function decodeForest(bytes: Uint8Array): Map<number, ClusterTree> {
  const refuse = (problem: string): BadInputError =>
    new BadInputError('cluster trees', [`${problem}; delete the object and plan the run again`]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number): number => view.getUint32(4 * index, true);
  if (bytes.length < 12 || word(0) !== magic || word(1) !== 1) throw refuse('it does not begin as one of version 1');
  const head = 12 + 8 * word(2);
  if (bytes.length < head) throw refuse('it ends within its header');
  const sizes = Array.from({ length: word(2) }, (_, i): [number, number] => [word(3 + 2 * i), word(4 + 2 * i)]);
  const inputs = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (bytes.length !== head + 5 * inputs) throw refuse(`${bytes.length} bytes instead of ${head + 5 * inputs}`);
  // Not slice: that of a Buffer does not copy.
  const copy = (start: number, end: number): Uint8Array => new Uint8Array(bytes.subarray(start, end));
  let at = head;
  let depthsAt = head + 4 * inputs;
  const forest = new Map<number, ClusterTree>();
  for (const [label, size] of sizes) {
    const order = new Uint32Array(copy(at, at + 4 * size).buffer);
    forest.set(label, { order, depths: copy(depthsAt, depthsAt + size) });
    at += 4 * size;
    depthsAt += size;
  }
  return forest;
}
