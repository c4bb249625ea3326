import * as fc from 'fast-check';
import { BadInputError } from '../../lib/errors';
import { cutMiniBatches, runOf } from '../../lib/group/cut';
import { createFingerprints, packPattern } from '../../lib/group/fingerprint';
import { buildForest, decodeForest, encodeForest } from '../../lib/group/forest';
import { buildTree, type ClusterTree } from '../../lib/group/tree';
import { random, shuffled } from '../../lib/random';
import { everyInput, meanDistance, planted, purity } from './patterns';

function groups(tree: ClusterTree, size: number): Uint32Array[] {
  return cutMiniBatches(
    runOf(tree, () => true),
    () => size,
  ).map(({ inputs }) => inputs);
}

/** The nodes of the tree as [start, end), found again from the depths. */
function nodes({ depths }: ClusterTree, start: number, end: number, depth: number): [number, number][] {
  if (end - start < 2) return [[start, end]];
  const cuts = [...depths.subarray(start + 1, end).entries()]
    .filter(([, d]) => d === depth)
    .map(([i]) => start + 1 + i);
  expect(cuts.length).toBe(1);
  return [
    [start, end],
    ...nodes({ depths } as ClusterTree, start, cuts[0], depth + 1),
    ...nodes({ depths } as ClusterTree, cuts[0], end, depth + 1),
  ];
}

const cases = fc.record({
  count: fc.integer({ min: 1, max: 400 }),
  bits: fc.integer({ min: 1, max: 70 }),
  clusters: fc.integer({ min: 1, max: 8 }),
  flips: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

describe('the cluster tree', () => {
  test('is a permutation of the members and a binary tree in which each side has a quarter', () => {
    fc.assert(
      fc.property(cases, ({ count, bits, clusters, flips, seed }) => {
        const { prints } = planted(count, bits, clusters, flips, seed);
        const members = everyInput(count).filter((i) => i % 3 !== 1);
        const tree = buildTree(prints, members, seed);
        expect([...tree.order].sort((a, b) => a - b)).toEqual([...members]);
        for (const [start, end] of nodes(tree, 0, members.length, 0)) {
          const depth = tree.depths.subarray(start + 1, end).reduce((least, d) => Math.min(least, d), 255);
          const cut = start + 1 + tree.depths.subarray(start + 1, end).indexOf(depth);
          const smaller = Math.min(cut - start, end - cut);
          if (end - start > 1) expect(smaller).toBeGreaterThanOrEqual(Math.floor((end - start) / 4));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('is the same for the same seed', () => {
    const { prints } = planted(3000, 100, 20, 3, 1);
    const tree = buildTree(prints, everyInput(3000), 5);
    expect(buildTree(prints, everyInput(3000), 5)).toEqual(tree);
    expect(buildTree(prints, everyInput(3000), 6)).not.toEqual(tree);
  });

  test('equal patterns stand together', () => {
    const { prints } = planted(600, 64, 12, 32, 3);
    const { order } = buildTree(prints, everyInput(600), 1);
    const key = (row: number): string => prints.words.subarray(2 * row, 2 * row + 2).join();
    const changes = order.filter((row, i) => i > 0 && key(row) !== key(order[i - 1])).length;
    // Flips are so rare (2^-32) that there are 12 patterns; a cut through one of them would part it.
    expect(new Set(order.map((row) => prints.words[2 * row])).size).toBe(12);
    expect(changes).toBeLessThan(24);
  });

  test('all patterns equal: any balanced tree', () => {
    const tree = buildTree(createFingerprints(1000, 50), everyInput(1000), 1);
    expect(Math.max(...tree.depths)).toBe(9);
    expect(groups(tree, 16).length).toBeLessThan(80);
  });

  test.each([
    ['few well-parted clusters', { count: 2000, bits: 200, clusters: 7, flips: 4 }, [0.98, 0.97, 0.96]],
    ['as many clusters as mini-batches', { count: 2000, bits: 256, clusters: 60, flips: 4 }, [0.9, 0.86, 0.77]],
    ['clusters that nearly touch', { count: 2000, bits: 64, clusters: 20, flips: 3 }, [0.9, 0.88, 0.84]],
  ])('mini-batches from %s are nearly pure', (_, { count, bits, clusters, flips }, least) => {
    const { prints, cluster } = planted(count, bits, clusters, flips, 17);
    const tree = buildTree(prints, everyInput(count), 4);
    const found = [8, 16, 32].map((size) => purity(cluster, groups(tree, size)));
    for (const [i, share] of found.entries()) expect(share).toBeGreaterThan(least[i]);
  });

  test('mini-batches of patterns without clusters are more alike than random ones', () => {
    for (const seed of [1, 2, 3]) {
      const { prints } = planted(1500, 96, 1, 1, seed);
      const tree = buildTree(prints, everyInput(1500), seed);
      const order = shuffled(1500, random(seed));
      for (const size of [2, 4, 16, 64]) {
        const found = groups(tree, size);
        let at = 0;
        const chance = found.map((group) => {
          at += group.length;
          return order.slice(at - group.length, at);
        });
        expect(meanDistance(prints, found)).toBeLessThan(0.99 * meanDistance(prints, chance));
      }
    }
  });

  test('a gradient is followed: neighbours in the order are neighbours on the line', () => {
    const count = 512;
    const prints = createFingerprints(count, count);
    const place = shuffled(count, random(9));
    for (let row = 0; row < count; row++) {
      packPattern(
        prints,
        row,
        Float32Array.from({ length: count }, (_, bit) => (bit < place[row] ? 1 : -1)),
      );
    }
    const { order } = buildTree(prints, everyInput(count), 2);
    const steps = order.slice(1).map((row, i) => Math.abs(place[row] - place[order[i]]));
    expect(Math.max(...steps)).toBeLessThan(8);
  });
});

describe('a forest', () => {
  const { prints } = planted(300, 40, 5, 3, 2);
  const labels = everyInput(300).map((i) => (i % 7) + 2);
  const forest = buildForest(prints, labels, 9, (input) => input % 10 === 0);

  test('has one tree per label, without the inputs left out', () => {
    expect([...forest.keys()]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    for (const [label, { order }] of forest) {
      const members = [...everyInput(300)].filter((i) => labels[i] === label && i % 10 !== 0);
      expect([...order].sort((a, b) => a - b)).toEqual(members);
    }
  });

  test('comes back from bytes, even from the middle of a buffer', () => {
    const bytes = encodeForest(forest);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeForest(shifted.subarray(3))).toEqual(forest);
    expect(decodeForest(Buffer.from(bytes))).toEqual(forest);
    expect(decodeForest(encodeForest(new Map()))).toEqual(new Map());
  });

  test('of any trees comes back from bytes, in the same order of labels', () => {
    const anyTree = fc
      .array(fc.tuple(fc.nat(2 ** 32 - 1), fc.nat(255)), { maxLength: 20 })
      .map((nodes) => ({ order: Uint32Array.from(nodes, ([id]) => id), depths: Uint8Array.from(nodes, ([, d]) => d) }));
    const anyTrees = fc.uniqueArray(fc.tuple(fc.nat(999), anyTree), { selector: ([label]) => label });
    fc.assert(
      fc.property(anyTrees, (trees) => {
        expect([...decodeForest(encodeForest(new Map(trees)))]).toEqual(trees);
      }),
      { numRuns: 50 },
    );
  });

  test('bytes that are cut anywhere, or more than there should be, are refused', () => {
    const bytes = encodeForest(new Map([...forest].slice(0, 2)));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeForest(bytes.slice(0, length))).toThrow(BadInputError);
    }
    expect(() => decodeForest(Uint8Array.of(...bytes, 0))).toThrow(BadInputError);
  });

  test.each([
    ['something else', new TextEncoder().encode('{"trees": [1, 2, 3]}')],
    ['of another magic number', encodeForest(forest).map((byte, i) => (i === 0 ? byte + 1 : byte))],
    ['of another version', encodeForest(forest).map((byte, i) => (i === 4 ? 2 : byte))],
  ])('bytes that are %s are refused', (_, bytes) => {
    expect(() => decodeForest(bytes)).toThrow(BadInputError);
  });
});
