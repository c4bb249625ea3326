import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { misclassification } from '../../lib/region/violation';
import { blocksOf } from '../../lib/search/blocks';
import { problemOf, problemRows } from '../../lib/search/problem';
import { searchRegions } from '../../lib/search/regions';
import { stepPrograms } from '../../lib/search/steps';
import { searchTree, type TreeResult } from '../../lib/search/tree';
import { randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp } from '../support/models';

const limits = { deadline: Number.POSITIVE_INFINITY, frontier: 10_000, batch: 2 };
const nothing = async () => undefined;

/** Minima next to 0, of both signs: whoever loses a sub-problem on the way proves one below 0. */
async function everyCase(
  run: (one: Awaited<ReturnType<typeof caseOf>>, offset: number, coefficients: Float64Array) => Promise<string>,
): Promise<{ wrong: number; proven: number; below: number }> {
  const seen = { wrong: 0, proven: 0, below: 0 };
  for (let seed = 0; seed < 2; seed++) {
    const one = await caseOf(seed);
    for (const { coefficients } of marginRows(misclassification(seed % 3, 3))) {
      const exact = await exactMinimum(one.network, one.box, coefficients);
      for (const distance of [0.05, -0.05, 1e-3, -1e-3]) {
        const kind = await run(one, distance - exact, Float64Array.from(coefficients));
        if (kind === 'proven') seen.proven++;
        if (distance < 0) seen.below++;
        if (kind === 'proven' && distance < 0) seen.wrong++;
      }
    }
    await one.bounder.release();
    await one.steps.release();
  }
  return seen;
}

async function caseOf(seed: number) {
  const { network } = readNetwork(randomMlp([2, 4, 3, 3], 100 + seed));
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const box = randomBox(2, 1.5, seed);
  return { network, blocks, bounder, steps: stepPrograms(blocks), box, bounds: await bounder.preActivations(box) };
}

test('a tree stopped after every call and told to go on proves what it would have proven at once, and nothing below 0', async () => {
  let stops = 0;
  const seen = await everyCase(async ({ blocks, steps, box, bounds }, offset, coefficients) => {
    const problem = problemOf(blocks, outward(box), bounds);
    const rows = problemRows(blocks, problem, [{ terms: [...coefficients.entries()], offset }], bounds);
    const program = await steps.get(blocks.relus.length);
    let result: TreeResult = await searchTree(program, problem, rows, nothing, { ...limits, limit: 0 });
    while (result.kind === 'open' && result.more) {
      stops++;
      result = await result.more(0);
    }
    const atOnce = await searchTree(program, problem, rows, nothing, { ...limits, limit: Number.POSITIVE_INFINITY });
    expect(result.kind).toBe(atOnce.kind);
    return result.kind;
  });
  expect(seen).toEqual({ wrong: 0, proven: seen.below, below: 8 });
  expect(stops).toBeGreaterThan(10);
});

test.each([
  ['levels that hardly tighten: the first tree goes on', undefined],
  ['a checkpoint of a tree that only splits', { level: 1, splitsOnly: true, assumed: [], rows: [0] }],
])('%s', async (_, region) => {
  const levels = [0, 1, 1].map((leaves) => ({ tightenSteps: leaves, leaves, limit: 1 }));
  const seen = await everyCase(async ({ blocks, steps, box, bounds }, offset, coefficients) => {
    const functionals = [{ terms: [...coefficients.entries()], offset }];
    const resume = region && { resume: { regions: [region] } };
    const options = { ...limits, levels, ...resume };
    return (await searchRegions(blocks, steps, outward(box), bounds, functionals, () => nothing, options)).kind;
  });
  expect(seen).toEqual({ wrong: 0, proven: seen.below, below: 8 });
});
