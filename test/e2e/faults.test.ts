import path from 'node:path';
import { createVerifier } from '../../lib/pipeline/verify';
import { fileStorage } from '../../lib/storage/files';
import { verifyInputSchema } from '../../lib/workflow/events';
import { problemsAfter, verdictsOf } from '../faults/aftermath';
import { callFaults, type Fault, storageFaults, total } from '../faults/faults';
import { prepare } from '../faults/prepared';
import { handlersWith, run, simulated, storm } from '../faults/storm';
import { temporaryFolder } from '../support/folder';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

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

const folder = temporaryFolder();

/** Verifies in earnest, each mini-batch in a process of its own. */
const real = handlersWith((payload, storage) =>
  createVerifier(256 * 2 ** 20).verify(storage, verifyInputSchema.parse(payload).batch),
);

test('the same of the engine itself, over files: two radii, storms of five seeds', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => {});
  const set = await tinySet({ count: 80, wrong: 4 });
  const start = async (name: string) => {
    const storage = fileStorage(path.join(folder, name));
    await requestRun(storage, run.id, set);
    return storage;
  };
  const calm = await start('calm');
  await storm({ storage: calm, handlers: real, seed: 0, disturbed: 'nothing' });
  const truth = await verdictsOf(calm, run.id);
  expect(new Set(truth.values())).toEqual(new Set(['robust', 'not-robust', 'misclassified']));
  const failures: string[] = [];
  let injected = 0;
  for (const seed of given === undefined ? [101, 102, 103, 104, 105] : [Number(given)]) {
    const storage = await start(String(seed));
    const result = await storm({ storage, handlers: real, seed, disturbed: 'everything' });
    injected += total(result.injected);
    const problems = await problemsAfter(storage, run.id, truth);
    if (!result.ended) problems.unshift('the run did not end');
    failures.push(...problems.map((problem) => `BAVERLY_FAULT_SEED=${seed}: ${problem}`));
  }
  expect(failures).toEqual([]);
  expect(injected).toBeGreaterThan(given === undefined ? 100 : 0);
});
