import { checkpointKey, recordKey, resultKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { createVerifier } from '../../lib/pipeline/verify';
import { packIds } from '../../lib/schedule/packed';
import { type BallResult, batchResultSchema, type MiniBatch, runRecordSchema } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, megabyte, runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

const epsilons = [{ text: '0.3', value: 0.3 }];
/** Takes the search some 0.15 s. */
const hard = 0;
const key = checkpointKey('r', 0, hard);

let set: TinySet;
beforeAll(async () => {
  set = await tinySet({ count: 8, sizes: [8, 24, 24, 3], seed: 7 });
});

/** A run in which the hard ball's first search was stopped after some 0.04 s. */
async function stopped(): Promise<{
  storage: Storage;
  attempt: (number: number, seconds: number) => Promise<BallResult>;
}> {
  const storage = memoryStorage();
  await requestRun(storage, 'r', set, { epsilons });
  const batches = await batchesOf(storage, 'r', await planRun(storage, 'r'));
  const record = await readJson(storage, recordKey('r'), runRecordSchema);
  const attempt = async (number: number, secondsPerBall: number): Promise<BallResult> => {
    await storage.put(recordKey('r'), JSON.stringify({ ...record, request: { ...record.request, secondsPerBall } }));
    const suspect: MiniBatch = {
      ...{ ...batches[0], kind: 'suspect', label: set.labels[hard], inputs: packIds(Uint32Array.of(hard)), size: 1 },
      ...{ attempt: number, round: number - 1, id: `${number - 1}-0`, seconds: 60 },
    };
    await createVerifier(256 * megabyte).verify(storage, suspect);
    return (await readJson(storage, resultKey('r', number - 1, suspect.id), batchResultSchema)).balls[0];
  };
  expect(await attempt(2, 0.16)).toMatchObject({ verdict: 'open', reason: 'time' });
  return { storage, attempt };
}

test('an attempt that ran out of time leaves a checkpoint, and the next one settles the ball from it', async () => {
  const { storage, attempt } = await stopped();
  expect((await storage.get(key)).length).toBeLessThan(100_000);
  expect(await attempt(3, 40)).toMatchObject({ verdict: 'robust', settledBy: 'search' });
});

test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
  ['cut short', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['damaged', (bytes) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 4 : byte))],
  ['empty', () => new Uint8Array(0)],
  ['something else', () => new TextEncoder().encode('{"regions":[]}')],
])('a checkpoint that is %s does not count: the search starts anew', async (_, change) => {
  const { storage, attempt } = await stopped();
  await storage.put(key, change(await storage.get(key)));
  // So little time that only a search that believed it were done already would say more than that it is not.
  expect(await attempt(3, 0.02)).toMatchObject({ verdict: 'open' });
});

test('the checkpoint of another ball does not count', async () => {
  const { storage, attempt } = await stopped();
  const other = memoryStorage();
  await requestRun(other, 'r', set, { epsilons: [{ text: '0.31', value: 0.31 }], secondsPerBall: 0.16 });
  await runToEnd(other, 'r');
  const foreign = await Promise.all(
    (await other.list('runs/r/rounds/checkpoints/')).map((object) => other.get(object.key)),
  );
  expect(foreign.length).toBeGreaterThan(0);
  await storage.put(key, foreign[0]);
  expect(await attempt(3, 0.02)).toMatchObject({ verdict: 'open' });
});
