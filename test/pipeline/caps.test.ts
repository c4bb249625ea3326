import { coordinateRound } from '../../lib/pipeline/coordinate';
import { capsKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { reportRun } from '../../lib/pipeline/report';
import { lastState } from '../../lib/pipeline/state';
import { createVerifier } from '../../lib/pipeline/verify';
import { readReport } from '../../lib/report/json';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

/** Goes on under other caps until nothing is planned, and reports. */
async function goOn(storage: Storage, caps = {}) {
  const verifier = createVerifier(256 * megabyte);
  let round = await planRun(storage, 'r', Date.now, caps);
  for (; !round.done; round = await coordinateRound(storage, 'r', round.number, [])) {
    for (const batch of await batchesOf(storage, 'r', round)) await verifier.verify(storage, batch);
  }
  const { status } = await reportRun(storage, 'r', undefined);
  return { status, report: await readReport(storage, 'runs/r') };
}

test('at the cap the rest is unknown (budget); with a larger cap the run goes on to the end', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet(), { maxUsd: 0.0000001 });
  const stopped = await goOn(storage);
  expect(stopped.status).toBe('incomplete');
  expect(stopped.report.problems).toEqual([expect.stringMatching(/cap of \$1e-7.*resume it with a larger one/)]);
  expect(stopped.report.balls.every(({ verdict, reason }) => verdict === 'unknown' && reason === 'budget')).toBe(true);
  expect(stopped.report.balls).toHaveLength(120);

  const ended = await goOn(storage, { maxUsd: 1000 });
  expect(ended.status).toBe('done');
  expect(ended.report.problems).toEqual([]);
  expect(ended.report.balls.filter(({ reason }) => reason === 'budget')).toEqual([]);
  expect(ended.report.cost).toMatchObject({ kind: 'local', region: 'us-east-1' });
  expect(ended.report.cost!.usd).toBeGreaterThan(0);
});

test('a cap of time that has passed stops the run; without caps none are stored', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet());
  const round = await planRun(storage, 'r');
  expect(await storage.list(capsKey('r'))).toEqual([]);
  expect(round.done).toBe(false);
  let clock = 0;
  await planRun(storage, 'r', () => clock, { maxSeconds: 60 });
  const verifier = createVerifier(256 * megabyte);
  for (const batch of await batchesOf(storage, 'r', round)) await verifier.verify(storage, batch);
  clock = 61_000;
  const next = await coordinateRound(storage, 'r', 0, [], () => clock);
  expect(next.done).toBe(true);
  const { status } = await reportRun(storage, 'r', undefined);
  expect(status).toBe('incomplete');
});

test('what is searched when the cap of time comes is handed back: no attempt, and gone on with under a larger cap', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet());
  let clock = 0;
  const round = await planRun(storage, 'r', () => clock, { maxSeconds: 60 });
  const batches = await batchesOf(storage, 'r', round);
  expect(new Set(batches.map(({ until }) => until))).toEqual(new Set([58_000]));
  const verifier = createVerifier(256 * megabyte, () => clock);
  clock = 58_000;
  for (const batch of batches) await verifier.verify(storage, batch);
  const next = await coordinateRound(storage, 'r', 0, [], () => clock);
  expect(next.done).toBe(true);
  const state = (await lastState(storage, 'r'))!;
  const open = [...state.status.keys()].filter((ball) => state.status[ball] === 0);
  expect(open.length).toBeGreaterThan(0);
  expect(open.filter((ball) => state.attempts[ball] > 0)).toEqual([]);
  await reportRun(storage, 'r', undefined);
  const { balls } = await readReport(storage, 'runs/r');
  expect(balls.filter(({ verdict }) => verdict === 'unknown').map(({ reason }) => reason)).toEqual(
    open.map(() => 'budget'),
  );
  const ended = await goOn(storage, { maxSeconds: 1e6 });
  expect([ended.status, ended.report.balls.filter(({ reason }) => reason === 'budget')]).toEqual(['done', []]);
});
