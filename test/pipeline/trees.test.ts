import * as fc from 'fast-check';
import type { ClusterTree } from '../../lib/group/tree';
import { decodeTrees, encodeTrees } from '../../lib/pipeline/trees';

const tree = (order: readonly number[], depths: readonly number[]): ClusterTree => ({
  order: Uint32Array.from(order),
  depths: Uint8Array.from(depths),
});
const trees = new Map([
  [0, tree([4, 1, 9], [0, 2, 1])],
  [7, tree([], [])],
  [9, tree([2 ** 31 + 5], [255])],
]);

test('what is encoded is decoded, in the same order of labels', () => {
  const decoded = decodeTrees(encodeTrees(trees));
  expect([...decoded]).toEqual([...trees]);
});

test('of any trees, at any place in a buffer', () => {
  const anyTree = fc.array(fc.tuple(fc.nat(2 ** 32 - 1), fc.nat(255)), { maxLength: 20 }).map((nodes) =>
    tree(
      nodes.map(([id]) => id),
      nodes.map(([, depth]) => depth),
    ),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.nat(999), anyTree), { selector: ([label]) => label }),
      fc.nat(7),
      (entries, at) => {
        const bytes = encodeTrees(new Map(entries));
        const moved = new Uint8Array(bytes.length + at);
        moved.set(bytes, at);
        expect([...decodeTrees(moved.subarray(at))]).toEqual(entries);
      },
    ),
    { numRuns: 50 },
  );
});

test('bytes that are cut off, or more than there should be, are refused', () => {
  const bytes = encodeTrees(trees);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeTrees(bytes.slice(0, length))).toThrow(/cluster trees are (cut off|not of version 1)/);
  }
  expect(() => decodeTrees(Uint8Array.of(...bytes, 0))).toThrow('cluster trees are cut off');
});

test('other bytes and other versions are refused', () => {
  const bytes = encodeTrees(trees);
  expect(() => decodeTrees(bytes.map((value, i) => (i === 0 ? value + 1 : value)))).toThrow('not of version 1');
  expect(() => decodeTrees(bytes.map((value, i) => (i === 4 ? 2 : value)))).toThrow('not of version 1');
});
