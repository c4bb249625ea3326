import { marginRows } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { verifyMiniBatch } from '../../lib/group/verify';
import type { Box } from '../../lib/region/box';
import { contains } from '../../lib/region/box';
import { misclassification, violates } from '../../lib/region/violation';
import { randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp } from '../support/models';

/** HiGHS's own tolerance. */
const tolerance = 1e-6;
const far = (): number => Date.now() + 60_000;

describe('verdicts on tiny nets against enumeration of all activation patterns', () => {
  const counts = { robust: 0, 'not-robust': 0, open: 0 };

  test.each(Array.from({ length: 10 }, (_, seed) => seed))('net and balls of seed %d', async (seed) => {
    const engine = await createEngine(randomMlp([2, 3, 2, 3], seed), `net ${seed}`);
    const { network, bounder, original } = engine;
    for (const [i, radius] of [0.1, 0.8].entries()) {
      const box: Box = randomBox(network.inputSize, radius, 31 * seed + i);
      const centre = Float32Array.from(box.lower, (low, k) => (low + box.upper[k]) / 2);
      const scores = await original.scores(centre, 1);
      const label = scores.indexOf(Math.max(...scores));
      const violation = misclassification(label, network.classes);
      const rows = marginRows(violation);
      const exact = await Promise.all(rows.map(({ coefficients }) => exactMinimum(network, box, coefficients)));

      const [{ rows: bounds }] = await bounder.bound([{ box, rows }]);
      for (const k of rows.keys()) expect(bounds[k]).toBeLessThanOrEqual(exact[k] + tolerance);

      const { members } = await verifyMiniBatch(engine, [{ box, violation, seed }], {
        effort: { bound: true, restarts: 4, steps: 40 },
        deadline: far(),
      });
      const least = Math.min(...exact);
      const [outcome] = members;
      counts[outcome.verdict]++;
      if (outcome.verdict === 'robust') {
        expect(least).toBeGreaterThan(-tolerance);
        expect(outcome.margin).toBeLessThanOrEqual(least + tolerance);
      } else if (outcome.verdict === 'not-robust') {
        expect(least).toBeLessThanOrEqual(tolerance);
        expect(contains(box, outcome.witness)).toBe(true);
        expect(violates(violation, await original.scores(outcome.witness, 1))).toBe(true);
      }
    }
    await engine.release();
  });

  test('both verdicts occur, and few balls stay open', () => {
    expect(counts.robust).toBeGreaterThan(5);
    expect(counts['not-robust']).toBeGreaterThan(2);
    expect(counts.open).toBeLessThan(5);
  });
});
