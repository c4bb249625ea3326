import { problemsAfter } from '../faults/aftermath';
import { callFaults, type Fault, storageFaults, total } from '../faults/faults';
import { prepare } from '../faults/prepared';
import { run, simulated, storm } from '../faults/storm';
import { memoryStorage } from '../support/memory-storage';

/** BAVERLY_FAULT_SEED=<seed> plays the storm of that seed alone. */
const given = process.env.BAVERLY_FAULT_SEED;
const wanted = 10_000;

test('10,000 faults: every ball of every run is settled exactly once, and no verdict is another', async () => {
  // A picture that cannot be read is left out of the report, with a line on stderr.
  jest.spyOn(console, 'error').mockImplementation(() => {});
  const { content, truth } = await prepare(600);
  const failures: string[] = [];
  const injected = new Map<Fault, number>();
  for (let seed = given === undefined ? 1 : Number(given); total(injected) < wanted; seed++) {
    const storage = memoryStorage(content);
    const result = await storm({ storage, handlers: simulated, seed, disturbed: 'everything' });
    for (const [fault, count] of result.injected) injected.set(fault, (injected.get(fault) ?? 0) + count);
    const problems = await problemsAfter(storage, run.id, truth);
    if (!result.ended) problems.unshift('the run did not end');
    failures.push(...problems.map((problem) => `BAVERLY_FAULT_SEED=${seed}: ${problem}`));
    if (given !== undefined) break;
  }
  expect(failures).toEqual([]);
  const kinds = given === undefined ? [...storageFaults, ...callFaults] : [...injected.keys()];
  expect([...injected.keys()].sort()).toEqual([...kinds].sort());
});
