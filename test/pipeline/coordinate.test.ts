import { coordinateRound } from '../../lib/pipeline/coordinate';
import { outcomesKey, resultKey, stateKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson, readLines } from '../../lib/pipeline/records';
import { reportRun } from '../../lib/pipeline/report';
import { createVerifier } from '../../lib/pipeline/verify';
import { readReport } from '../../lib/report/json';
import { batchSummarySchema } from '../../lib/report/record';
import { batchResultSchema } from '../../lib/schedule/records';
import { decodeState } from '../../lib/schedule/state-file';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, contentOf, megabyte, runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
let storage: Storage;
beforeEach(async () => {
  set ??= await tinySet({ wrong: 2 });
  storage = memoryStorage();
  await requestRun(storage, 'r', set);
});

/** Plans and verifies the first round. */
async function firstRound() {
  const round = await planRun(storage, 'r');
  const batches = await batchesOf(storage, 'r', round);
  const verifier = createVerifier(256 * megabyte);
  for (const batch of batches) await verifier.verify(storage, batch);
  return batches;
}

const outcomes = (round: number) => readLines(storage, outcomesKey('r', round), batchSummarySchema);

test('a round merged twice gives the same next round and writes the same', async () => {
  await firstRound();
  const next = await coordinateRound(storage, 'r', 0, []);
  const stored = await contentOf(storage);
  expect(next.number).toBe(1);
  expect(await coordinateRound(storage, 'r', 0, [])).toEqual(next);
  expect(await contentOf(storage)).toEqual(stored);
});

test('a result that cannot be read counts as a crash: its balls are planned again', async () => {
  const [batch, cut] = await firstRound();
  await storage.put(resultKey('r', 0, batch.id), '{"id": ');
  await storage.put(resultKey('r', 0, cut.id), '{"id": "0-1", "balls": []}');
  const next = await coordinateRound(storage, 'r', 0, []);
  const [first, second, ...others] = await outcomes(0);
  expect(first).toMatchObject({ id: batch.id, open: batch.size, error: expect.stringContaining('UnreadableResult') });
  expect(first.error).toContain(`${resultKey('r', 0, batch.id)} in memory: it is not JSON`);
  expect(second.error).toContain('cpuSeconds');
  expect(others.every(({ error }) => error === undefined)).toBe(true);
  const retried = (await batchesOf(storage, 'r', next)).filter(({ kind }) => kind === 'retry');
  expect(retried.reduce((sum, { size }) => sum + size, 0)).toBe(batch.size + cut.size);
});

test('a mini-batch without a result has crashed, with the reason where there is one', async () => {
  const round = await planRun(storage, 'r');
  const [killed, crashed, lost] = await batchesOf(storage, 'r', round);
  await coordinateRound(storage, 'r', 0, [
    { id: killed.id, error: 'Lambda.Unknown', cause: 'signal SIGKILL', seconds: 2 },
    {
      id: crashed.id,
      error: 'Error',
      cause: '{"errorType": "Error", "errorMessage": "disk $& full", "trace": ["at x"]}',
    },
  ]);
  expect((await outcomes(0)).slice(0, 3)).toMatchObject([
    { id: killed.id, error: 'Lambda.Unknown: signal SIGKILL', cpuSeconds: 2 },
    { id: crashed.id, error: 'Error: disk $& full', cpuSeconds: crashed.seconds },
    { id: lost.id, error: 'no result' },
  ]);
});

test('two verdicts that cannot both be true stop the run, and nothing is written', async () => {
  const [batch] = await firstRound();
  await coordinateRound(storage, 'r', 0, []);
  const result = await readJson(storage, resultKey('r', 0, batch.id), batchResultSchema);
  const settled = result.balls.find(({ verdict }) => verdict === 'robust')!;
  const lie = {
    ...settled,
    verdict: 'not-robust',
    settledBy: 'attack',
    predicted: 1,
    witness: 'w.npy',
    margin: undefined,
  };
  // The same ball again in the next round, as no plan would have it.
  const [line] = await batchesOf(storage, 'r', { ...(await planRun(storage, 'r')) });
  const plan = { ...line, ...batch, id: '1-0', round: 1 };
  await storage.put('runs/r/rounds/1/plan.jsonl', `${JSON.stringify(plan)}\n`);
  const balls = result.balls.map((found) => (found.input === settled.input ? lie : found));
  await storage.put(resultKey('r', 1, '1-0'), JSON.stringify({ ...result, id: '1-0', round: 1, balls }));
  const stored = await contentOf(storage);
  await expect(coordinateRound(storage, 'r', 1, [])).rejects.toThrow('one of the two is wrong');
  expect(await contentOf(storage)).toEqual(stored);
});

describe('a run to its end', () => {
  test('gives every ball exactly one verdict, in the report and in the ledger', async () => {
    const rounds = await runToEnd(storage, 'r');
    expect(rounds.at(-1)).toMatchObject({ done: true, batches: 0, planKey: '' });
    expect(await reportRun(storage, 'r', undefined)).toMatchObject({ status: 'done', reportKey: 'runs/r/report.json' });
    const { balls } = await readReport(storage, 'runs/r');
    expect(balls).toHaveLength(120);

    const parts = await storage.list('runs/r/ledger/');
    const texts = await Promise.all(parts.map(async ({ key }) => Buffer.from(await storage.get(key)).toString()));
    const lines = texts.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
    const name = (index: number, epsilon: number, verdict: string) => `${index} ${epsilon} ${verdict}`;
    expect(lines.map(({ input, epsilon, status }) => name(input, epsilon, status)).sort()).toEqual(
      balls.map(({ index, epsilon, verdict }) => name(index, ['0.02', '1/10'].indexOf(epsilon), verdict)).sort(),
    );
  });

  test('where every first attempt crashes, loses no ball', async () => {
    const rounds = await runToEnd(storage, 'r', async (batch, verifier) => {
      if (batch.attempt === 1) return { id: batch.id, error: 'Lambda.Unknown', cause: 'killed' };
      await verifier.verify(storage, batch);
      return undefined;
    });
    const { status, counts } = await reportRun(storage, 'r', undefined);
    expect({ status, rounds: rounds.length > 2 }).toEqual({ status: 'done', rounds: true });
    expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(120);
    expect(counts.robust).toBeGreaterThan(0);
    expect((await outcomes(0)).every(({ error }) => error === 'Lambda.Unknown: killed')).toBe(true);
  });

  test('where every attempt crashes, ends with every ball unknown because of that', async () => {
    await runToEnd(storage, 'r', async ({ id }) => ({ id, error: 'Lambda.Unknown', cause: 'killed' }));
    const { status, counts } = await reportRun(storage, 'r', undefined);
    expect({ status, counts }).toMatchObject({ status: 'done', counts: { robust: 0, unknown: 116, misclassified: 4 } });
    const { balls } = await readReport(storage, 'runs/r');
    const unknown = balls.filter(({ verdict }) => verdict === 'unknown');
    expect(new Set(unknown.map(({ reason }) => reason))).toEqual(new Set(['crash']));
  });

  test('keeps the state of every round', async () => {
    const rounds = await runToEnd(storage, 'r');
    for (const { number } of rounds) {
      expect(decodeState(await storage.get(stateKey('r', number))).round).toBe(number);
    }
  });
});
