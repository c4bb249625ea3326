import { checkCases, noCases } from '../support/completeness';

/** Of five cases each (test/support/completeness.ts). */
const seeds = Array.from({ length: 100 }, (_, seed) => seed);

describe('verdicts on nets of up to thirty ReLUs against enumeration of activation patterns and MILP', () => {
  const count = noCases();

  test.each(seeds)('seed %d', async (seed) => {
    expect(await checkCases(seed, count)).toEqual([]);
  });

  test('500 cases: all minima above 0 robust, and nearly all others with a witness', () => {
    const { cases, robust, open, exactTies } = count;
    expect({ cases, robust }).toEqual({ cases: 5 * seeds.length, robust: 2 * seeds.length });
    // Open: ties, and violations smaller than what the model's own float32 arithmetic loses.
    expect(open).toBeLessThan(cases / 10);
    expect(exactTies).toBeGreaterThan(10);
  });
});
