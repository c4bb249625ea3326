import { createFingerprints } from '../../lib/group/fingerprint';
import { buildForest } from '../../lib/group/forest';
import { random } from '../../lib/random';
import { mergeRound } from '../../lib/schedule/merge';
import { planRound } from '../../lib/schedule/plan-round';
import { decodeState, encodeState } from '../../lib/schedule/state-file';
import { summarise } from '../../lib/schedule/summary';
import { anyTrees, leftOpen, newRun, planOptions, resultOf, robust } from './simulation';

/** Highest resident memory seen when asked, in bytes. */
function memoryWatch(): () => number {
  let most = process.memoryUsage.rss();
  return () => {
    most = Math.max(most, process.memoryUsage.rss());
    return most;
  };
}

describe('a million balls', () => {
  test('two rounds are planned, merged and stored in bounded memory', () => {
    const peak = memoryWatch();
    const inputs = 1_000_000;
    const trees = anyTrees(inputs, 10);
    let state = newRun({ inputs });
    const planned: number[] = [];
    for (const round of [0, 1]) {
      const { batches } = planRound(state, trees, planOptions);
      peak();
      planned.push(batches.filter((b) => b.kind === 'first').reduce((sum, batch) => sum + batch.size, 0));
      // No more mini-batches than a balanced use of the arms gives, and lines that S3 and the item reader like.
      expect(batches.length).toBeLessThan(30_000);
      const results = batches.map((batch) => resultOf(batch, (i) => (i % 9 === round ? leftOpen(i, -1) : robust(i))));
      state = mergeRound(state, batches, results, []).state;
      peak();
    }
    expect(planned).toEqual([50_000, 200_000]);
    const bytes = encodeState(state);
    expect(bytes.length).toBeLessThan(8e6);
    expect(summarise(decodeState(bytes))).toEqual(summarise(state));
    expect(peak()).toBeLessThan(2e9);
  });

  test('one by one: as many mini-batches as balls', () => {
    const options = { ...planOptions, mode: 'single' as const };
    const { batches } = planRound(newRun({ inputs: 150_000 }), anyTrees(150_000, 1), options);
    expect(batches.length).toBe(150_000);
  });

  test('a cluster tree looks at each pattern a bounded number of times', () => {
    const count = 20_000;
    const prints = createFingerprints(count, 256);
    const rng = random(4);
    for (let word = 0; word < prints.words.length; word++) prints.words[word] = rng.int(2 ** 32);
    const trees = buildForest(prints, new Uint8Array(count), 1);
    const { order, depths } = trees.get(0)!;
    expect(order.length).toBe(count);
    // log2(20,000) = 14.3; every level of the tree looks at each pattern about once.
    expect(Math.max(...depths)).toBeLessThan(30);
  });
});
