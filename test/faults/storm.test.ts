import { memoryStorage } from '../support/memory-storage';
import { problemsAfter, verdictsOf } from './aftermath';
import { total } from './faults';
import { type Prepared, prepare } from './prepared';
import { run, simulated, storm } from './storm';

/** BAVERLY_FAULT_SEED=<seed> plays the storm of that seed alone. */
const given = process.env.BAVERLY_FAULT_SEED;
const seeds = given === undefined ? [3] : [Number(given)];

let prepared: Prepared;
beforeAll(async () => {
  // A picture that cannot be read is left out of the report, with a line on stderr.
  jest.spyOn(console, 'error').mockImplementation(() => {});
  prepared = await prepare(160);
});

test.each(seeds)(
  'BAVERLY_FAULT_SEED=%i: every ball is settled exactly once, and no verdict is another',
  async (seed) => {
    const storage = memoryStorage(prepared.content);
    const { injected, ended } = await storm({ storage, handlers: simulated, seed, disturbed: 'everything' });
    expect(total(injected)).toBeGreaterThan(40);
    const problems = await problemsAfter(storage, run.id, prepared.truth);
    expect({ seed, ended, problems }).toEqual({ seed, ended: true, problems: [] });
  },
);

test('where only planning, coordinating and reporting fail, every verdict is the same', async () => {
  const storage = memoryStorage(prepared.content);
  const { injected, executions } = await storm({ storage, handlers: simulated, seed: 2, disturbed: 'coordination' });
  expect({ injected: total(injected) > 3, executions: executions > 1 }).toEqual({ injected: true, executions: true });
  expect(await verdictsOf(storage, run.id)).toEqual(prepared.truth);
});
