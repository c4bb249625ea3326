import * as fc from 'fast-check';
import { cutAfter, cutMiniBatches, runOf } from '../../lib/group/cut';
import { anyTree } from '../schedule/simulation';

const openTrees = fc.record({
  count: fc.integer({ min: 0, max: 200 }),
  open: fc.uint8Array({ minLength: 200, maxLength: 200, max: 2 }),
  sizes: fc.array(fc.constantFrom(1, 2, 3, 4, 8, 16, 64, 256), { minLength: 1 }),
  seed: fc.nat(),
});

describe('cutting mini-batches from a tree', () => {
  test('takes every wanted input exactly once, ascending, and never more than the size asked for', () => {
    fc.assert(
      fc.property(openTrees, ({ count, open, sizes, seed }) => {
        const tree = anyTree(
          Uint32Array.from({ length: count }, (_, i) => 3 * i),
          seed,
        );
        const run = runOf(tree, (input) => open[input / 3] > 0);
        let call = 0;
        const told: number[] = [];
        const batches = cutMiniBatches(run, (left) => {
          told.push(left);
          return sizes[call++ % sizes.length];
        });
        const before = batches.map((_, i) => batches.slice(i).reduce((sum, { inputs }) => sum + inputs.length, 0));
        expect(told).toEqual(before);
        expect(batches.flatMap(({ inputs }) => [...inputs]).sort((a, b) => a - b)).toEqual(
          [...tree.order].filter((input) => open[input / 3] > 0).sort((a, b) => a - b),
        );
        for (const { inputs, size } of batches) {
          expect(inputs.length).toBeLessThanOrEqual(size);
          expect([...inputs]).toEqual([...inputs].sort((a, b) => a - b));
        }
      }),
    );
  });

  const run = {
    inputs: Uint32Array.from({ length: 10 }, (_, i) => i),
    //                     0  1  2  3  4  5  6  7  8  9
    depths: Uint8Array.of(0, 4, 3, 2, 3, 0, 3, 1, 2, 3),
  };

  test('whole subtrees are preferred to full mini-batches', () => {
    expect(cutAfter(run, 0, 10, 8)).toBe(5);
    expect(cutAfter(run, 0, 10, 4)).toBe(3);
    expect(cutAfter(run, 5, 10, 4)).toBe(9 - 1);
    expect(cutAfter(run, 0, 10, 1)).toBe(1);
  });

  test('what fits is not divided', () => {
    expect(cutAfter(run, 0, 10, 10)).toBe(10);
    expect(cutAfter(run, 6, 10, 256)).toBe(10);
    expect(cutAfter(run, 0, 4, 4)).toBe(4);
  });

  test('between what is left the shallowest cut counts', () => {
    const tree = { order: Uint32Array.of(7, 3, 9, 1, 4), depths: Uint8Array.of(0, 2, 1, 3, 2) };
    expect(runOf(tree, (input) => input !== 9)).toEqual({
      inputs: Uint32Array.of(7, 3, 1, 4),
      depths: Uint8Array.of(0, 2, 1, 2),
    });
    expect(runOf(tree, () => false).inputs.length).toBe(0);
  });

  test('a size below 1 is an error, not an endless loop', () => {
    expect(() => cutMiniBatches(run, () => 0)).toThrow(RangeError);
    expect(() => cutMiniBatches(run, () => Number.NaN)).toThrow(RangeError);
  });
});
