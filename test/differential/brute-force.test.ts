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
  const settlers = new Set<string>();
  const counts = { robust: 0, 'not-robust': 0, open: 0 };

  test.each(Array.from({ length: 16 }, (_, seed) => seed))('net and balls of seed %d', async (seed) => {
    const engine = await createEngine(randomMlp([2, 4, 3, 3], seed), `net ${seed}`);
    const { network, bounder, original } = engine;
    for (const [i, radius] of [0.15, 1.5].entries()) {
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
        effort: { bound: true, restarts: 2, steps: 10, patience: 2, searchShare: 1 },
        secondsPerBall: 20,
        deadline: far(),
      });
      const least = Math.min(...exact);
      const [outcome] = members;
      counts[outcome.verdict]++;
      if (outcome.verdict === 'open') throw new Error(`seed ${seed}, radius ${radius}: still open (${outcome.reason})`);
      settlers.add(outcome.settledBy);
      if (outcome.verdict === 'robust') {
        expect(least).toBeGreaterThan(-tolerance);
        expect(outcome.margin).toBeLessThanOrEqual(least + tolerance);
      } else {
        expect(least).toBeLessThanOrEqual(tolerance);
        expect(contains(box, outcome.witness)).toBe(true);
        expect(violates(violation, await original.scores(outcome.witness, 1))).toBe(true);
      }
    }
    await engine.release();
  });

  test('every ball is settled, both verdicts occur, and the search had something to do', () => {
    expect(counts.robust).toBeGreaterThan(5);
    expect(counts['not-robust']).toBeGreaterThan(2);
    expect([...settlers]).toEqual(expect.arrayContaining(['bound', 'attack']));
    expect(settlers.has('search') || settlers.has('optimised bound')).toBe(true);
  });
});
