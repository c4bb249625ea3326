import { createBounder } from '../../lib/bounds/bounder';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../lib/search/checkpoint';
import { doubleBounder } from '../../lib/search/double';
import { doubtsOf } from '../../lib/search/doubt';
import type { LayerBounds } from '../../lib/search/problem';
import { type RegionOptions, type SearchResult, searchRegions } from '../../lib/search/regions';
import { type StepPrograms, stepPrograms } from '../../lib/search/steps';
import { randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp } from '../support/models';

const difference = [1, -1];
const subject = { model: 'm', engine: 'e', question: 'q', rows: 1 };

/** A clock that goes on by 1 ms with every call of a program: attempts end after so many calls, on any machine. */
let calls = 0;
beforeEach(() => {
  calls = 0;
  jest.spyOn(Date, 'now').mockImplementation(() => calls);
});
afterEach(() => jest.restoreAllMocks());

function counting(steps: StepPrograms): Pick<StepPrograms, 'get'> {
  return {
    async get(end, isFolded) {
      const program = await steps.get(end, isFolded);
      return {
        async run(call, isLast) {
          calls++;
          await program.run(call, isLast);
        },
      };
    },
  };
}

/** Of these seeds, balls take some hundred calls. */
const seeds = [16, 28];

/** A ball whose minimum is moved to the distance, and how to search it. */
async function ballOf(seed: number) {
  const { network } = readNetwork(randomMlp([3, 9, 8, 2], seed));
  const blocks = blocksOf(network);
  const steps = stepPrograms(blocks);
  const bounder = createBounder(network);
  const box = randomBox(3, 1.2, seed);
  const bounds: readonly LayerBounds[] = await bounder.preActivations(box);
  await bounder.release();
  const least = await exactMinimum(network, box, difference);
  const double = doubleBounder(network);
  const search = (distance: number, mostCalls: number, resume?: Checkpoint): Promise<SearchResult> => {
    const functionals = [{ terms: [...difference.entries()], offset: distance - least }];
    const options: RegionOptions = {
      deadline: calls + mostCalls,
      frontier: 10_000,
      batch: 2,
      levels: [
        { tightenSteps: 0, leaves: 0, limit: 16 },
        { tightenSteps: 4, leaves: 0, limit: 60 },
      ],
      doubtsOf: (problem, open) => doubtsOf(double, box, problem, open),
      ...(resume && { resume }),
    };
    return searchRegions(
      blocks,
      counting(steps),
      outward(box),
      bounds,
      functionals,
      () => async () => undefined,
      options,
    );
  };
  return { search, release: () => steps.release() };
}

/** Through storage and back. */
function stored(checkpoint: Checkpoint): Checkpoint {
  const result = decodeCheckpoint(encodeCheckpoint(subject, checkpoint), subject);
  if (result.kind === 'refused') throw new Error(result.why);
  return result.checkpoint;
}

type Search = Awaited<ReturnType<typeof ballOf>>['search'];

/** Attempts of so many calls each, every one going on where the last one stopped. */
async function attempts(
  search: Search,
  distance: number,
  callsEach: number,
  change = (checkpoint: Checkpoint) => checkpoint,
) {
  let resume: Checkpoint | undefined;
  for (let attempt = 1; attempt <= 8; attempt++) {
    const result = await search(distance, callsEach, resume);
    if (result.kind !== 'open' || !result.checkpoint) return { result, attempt };
    const changed = change(result.checkpoint);
    if (changed.regions.length === 0) return { result: { ...result, kind: 'proven' as const }, attempt };
    resume = stored(changed);
  }
  return { result: undefined, attempt: 8 };
}

test('a search that is stopped again and again ends as one that is not, at little more cost', async () => {
  let [stops, whole, parts, wrong] = [0, 0, 0, 0];
  for (const seed of seeds) {
    const { search, release } = await ballOf(seed);
    const uninterrupted = await search(0.02, 2000);
    const took = calls;
    const { result, attempt } = await attempts(search, 0.02, Math.max(60, Math.ceil(took / 4)));
    stops += attempt - 1;
    whole += took;
    parts += calls - took;
    if (uninterrupted.kind !== 'proven' || result?.kind !== 'proven') wrong++;
    if ((await attempts(search, -0.02, 40)).result?.kind === 'proven') wrong++;
    calls = 0;
    await release();
  }
  expect(wrong).toBe(0);
  expect(stops).toBeGreaterThan(3);
  // Anew every time, the last attempt alone would have to take them all.
  expect(parts).toBeLessThan(1.5 * whole);
});

test('a checkpoint that had lost an entry would be told from a sound one', async () => {
  let proven = 0;
  const losing = (checkpoint: Checkpoint): Checkpoint => ({
    ...checkpoint,
    regions: checkpoint.regions.flatMap((region) => {
      const leaves = region.leaves?.slice(1);
      return leaves === undefined || leaves.length > 0 ? [{ ...region, ...(leaves && { leaves }) }] : [];
    }),
  });
  for (const seed of seeds) {
    const { search, release } = await ballOf(seed);
    const { result } = await attempts(search, -0.02, 40, losing);
    if (result?.kind === 'proven') proven++;
    await release();
  }
  expect(proven).toBeGreaterThan(0);
});
