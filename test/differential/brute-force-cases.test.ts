import { checkCases, noCases } from '../support/completeness';

test('verdicts on small nets against enumeration and MILP, margins down to 1e-6 and ties; test/e2e has 500 of them', async () => {
  const count = noCases();
  const failures: string[] = [];
  // One of each kind of net.
  for (const seed of [4, 5, 22, 3]) failures.push(...(await checkCases(seed, count)));
  expect(failures).toEqual([]);
  expect(count).toMatchObject({ cases: 20, robust: 8 });
});
