import { runDifferenceSchema } from '../../lib/audit/difference';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { failureKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { failureRecordSchema, reportRun } from '../../lib/pipeline/report';
import type { PolicyEvent } from '../../lib/policy/events';
import { buildReport } from '../../lib/report/build';
import { reportJson } from '../../lib/report/json';
import { getText, type Storage } from '../../lib/storage/storage';
import { date, historyOf, policyOf, policyRun, reported } from '../audit/policy-run';
import { runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, type TinySet, tinySet } from '../support/tiny-run';

let set: TinySet;
beforeAll(async () => {
  set = await tinySet({ wrong: 2, count: 16 });
});

const radii = { epsilons: [{ text: '0.02', value: 0.02 }] };
const differenceIn = (storage: Storage, run: string) =>
  readJson(storage, `runs/${run}/difference.json`, runDifferenceSchema);

/** A run that settles nothing beyond prediction: its balls stay open until its budget ends. */
async function stoppedRun(storage: Storage, run: string): Promise<void> {
  await requestRun(storage, run, set, { policy: policyOf(set), ...radii, maxSeconds: 1 });
  await planRun(storage, run, () => 0);
  await coordinateRound(storage, run, 0, []);
}

test('a first run has a history of one, stores what it found, and says that it is done', async () => {
  const storage = memoryStorage();
  const { report, events } = await policyRun(storage, 'first', set, {}, radii);
  expect(events).toMatchObject([{ type: 'Run Finished', run: 'first', policy: 'p', notify: ['a@example.org'] }]);
  expect(await historyOf(storage)).toMatchObject([
    {
      run: 'first',
      status: 'done',
      reused: 0,
      radii: [{ epsilon: '0.02', certifiedAccuracy: report.radii[0].certifiedAccuracy }],
    },
  ]);
  expect(await storage.list('runs/first/difference.json')).toEqual([]);
  expect(await getText(storage, 'runs/first/report.html')).toContain('Policy p');
});

test('the next one says what changed: nothing on the same model, and what did on a changed one', async () => {
  const storage = memoryStorage();
  await policyRun(storage, 'first', set, {}, radii);
  await policyRun(storage, 'same', set, {}, radii);
  expect(await differenceIn(storage, 'same')).toMatchObject({
    before: { run: 'first' },
    sameModel: true,
    balls: [],
    contradictions: [],
  });
  // A model with other weights: the inputs and labels stay.
  const other = await tinySet({ seed: 5, count: 1 });
  const changed = { ...set, model: other.model };
  const { report, events } = await policyRun(storage, 'changed', changed, {}, { ...radii, acceptLowAccuracy: true });
  const difference = await differenceIn(storage, 'changed');
  expect(difference).toMatchObject({ before: { run: 'same' }, sameModel: false });
  const [radius] = difference.radii;
  expect(radius.compared).toBe(set.inputs.length);
  expect(radius.after.robust).toBe(report.radii[0].robust);
  expect(radius.newlyBroken).toBeGreaterThan(0);
  expect(events.at(-1)!.message).toContain(`newly broken ${radius.newlyBroken}`);
  const page = await getText(storage, 'runs/changed/report.html');
  for (const text of ['Over time', 'Since the last run', 'The model changed', 'id="changes"'])
    expect(page).toContain(text);
  expect((await historyOf(storage)).map(({ run }) => run)).toEqual(['first', 'same', 'changed']);
});

test('reported again, it is compared with the same run and adds nothing', async () => {
  const storage = memoryStorage();
  await policyRun(storage, 'first', set, {}, radii);
  await policyRun(storage, 'second', set, {}, radii);
  const before = await differenceIn(storage, 'second');
  const { events } = await reported(storage, 'second');
  expect(await differenceIn(storage, 'second')).toEqual(before);
  expect(events).toMatchObject([{ id: (await reported(storage, 'second')).events[0].id }]);
  await reported(storage, 'first');
  expect(await storage.list('runs/first/difference.json')).toEqual([]);
  expect(await historyOf(storage)).toHaveLength(2);
});

test('a run that stopped at its cap leaves the rest for the next', async () => {
  const storage = memoryStorage();
  await stoppedRun(storage, 'stopped');
  const { report } = await reported(storage, 'stopped');
  expect(report.radii[0].unknown).toBeGreaterThan(0);
  await date(storage, 'stopped', '2026-11-01T00:00:00.000Z');
  await reported(storage, 'stopped');
  const { report: next } = await policyRun(storage, 'next', set, {}, radii);
  expect(next.radii[0].unknown).toBe(0);
  expect((await differenceIn(storage, 'next')).radii[0].newlyProven).toBe(next.radii[0].robust);
});

test('a run that cannot be right beside the last one fails, and leaves nothing to later runs', async () => {
  const storage = memoryStorage();
  const { report } = await policyRun(storage, 'first', set, {}, radii);
  const [{ key }] = await storage.list('verdicts/');
  const robust = report.balls.find(({ verdict }) => verdict === 'robust')!;
  const forged = { ...robust, verdict: 'not-robust' as const, predicted: 0, witness: 'nowhere.npy' };
  const balls = report.balls.map((ball) => (ball === robust ? forged : ball));
  await storage.put('runs/first/report.json', reportJson(buildReport({ ...report, balls })));
  await expect(policyRun(storage, 'second', set, {}, radii)).rejects.toMatchObject({
    name: 'RunsContradictError',
    message: expect.stringContaining(`robust: run second, input ${robust.index} at 0.02`),
  });
  expect((await differenceIn(storage, 'second')).contradictions).toHaveLength(1);
  expect((await storage.list('verdicts/')).map((stored) => stored.key)).toEqual([key]);
  expect(await historyOf(storage)).toMatchObject([{ run: 'first' }]);
});

test('on random nets, what is reused at other radii is never the opposite of what is found anew', async () => {
  const at = (...texts: string[]) => ({ epsilons: texts.map((text) => ({ text, value: Number(text) })) });
  let reused = 0;
  const wrong: string[] = [];
  for (const seed of [11, 12, 13, 14, 15, 16]) {
    const random = await tinySet({ seed, count: 30, sizes: [3, 10, 10, 3] });
    const [known, anew] = [memoryStorage(), memoryStorage()];
    await policyRun(known, 'first', random, {}, at('0.03', '0.08'));
    const { report } = await policyRun(known, 'second', random, {}, at('0.02', '0.05', '0.12'));
    const { report: fresh } = await policyRun(anew, 'second', random, {}, at('0.02', '0.05', '0.12'));
    for (const [i, ball] of report.balls.entries()) {
      if (!ball.settledBy?.startsWith('reused ')) continue;
      reused++;
      const { verdict } = fresh.balls[i];
      if (verdict !== ball.verdict && verdict !== 'unknown') wrong.push(`${seed}: ${ball.index} at ${ball.epsilon}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(reused).toBeGreaterThan(100);
});

describe('thresholds', () => {
  const at = (atLeast: number) => ({ thresholds: { certified: [{ epsilon: '2/100', atLeast }] } });
  const crossed = (events: readonly PolicyEvent[]) =>
    events.filter(({ type }) => type === 'Threshold Crossed').map(({ threshold }) => threshold);

  test('are told when they are crossed, either way, and not in between', async () => {
    const storage = memoryStorage();
    const runs = [
      await policyRun(storage, 'a', set, at(0.1), radii),
      await policyRun(storage, 'b', set, at(0.99), radii),
      await policyRun(storage, 'c', set, at(0.99), radii),
      await policyRun(storage, 'd', set, at(0.1), radii),
    ];
    const value = runs[0].report.radii[0].certifiedAccuracy[0];
    const name = 'certified accuracy at 2/100';
    expect(runs.map(({ events }) => crossed(events))).toEqual([
      [],
      [{ name, direction: 'below', limit: 0.99, value, previous: value }],
      [],
      [{ name, direction: 'above', limit: 0.1, value, previous: value }],
    ]);
    expect((await historyOf(storage)).map(({ thresholds }) => thresholds[0].holds)).toEqual([true, false, false, true]);
  });

  test('are told when the first run misses them', async () => {
    const { events } = await policyRun(memoryStorage(), 'a', set, at(1), radii);
    expect(crossed(events)).toMatchObject([{ direction: 'below', limit: 1 }]);
    expect(events[0]).toMatchObject({ notify: ['a@example.org'], model: 'models/tiny.onnx', run: 'a' });
  });

  test('too many newly broken balls are told each time', async () => {
    const storage = memoryStorage();
    const limit = { thresholds: { certified: [], newlyBroken: 0 } };
    const other = { ...set, model: (await tinySet({ seed: 5, count: 1 })).model };
    const low = { ...radii, acceptLowAccuracy: true };
    const events = [
      (await policyRun(storage, 'a', set, limit, low)).events,
      (await policyRun(storage, 'b', other, limit, low)).events,
      (await policyRun(storage, 'c', set, limit, low)).events,
    ];
    const told = events.map((some) => crossed(some).map((threshold) => threshold?.name));
    expect(told[0]).toEqual([]);
    expect(told[1]).toEqual(['newly broken balls']);
  });
});

describe('a failure is recorded and told', () => {
  async function failing(storage: Storage, run: string): Promise<PolicyEvent[]> {
    const error = await runToEnd(storage, run).catch((thrown: Error & { problems?: string[] }) => thrown);
    const { name, problems = [], message } = error as Error & { problems?: string[] };
    const events: PolicyEvent[] = [];
    const failed = { error: name, problems: problems.length > 0 ? [...problems] : [message] };
    await reportRun(storage, run, failed, Date.now, { publish: async (some) => void events.push(...some) });
    expect(await readJson(storage, failureKey(run), failureRecordSchema)).toEqual(failed);
    expect(await historyOf(storage)).toMatchObject([{ run, status: 'failed', problems: failed.problems }]);
    return events;
  }

  test('of a clean accuracy below the policy', async () => {
    const storage = memoryStorage();
    const policy = policyOf(set, { thresholds: { cleanAccuracy: 0.99, certified: [] } });
    await requestRun(storage, 'r', set, { policy, ...radii });
    const problem = expect.stringMatching(/87\.5 % of the inputs.*policy p demands 99\.0 %/);
    expect(await failing(storage, 'r')).toMatchObject([{ type: 'Run Failed', run: 'r', problems: [problem] }]);
  });

  test('of a model that cannot be read', async () => {
    const storage = memoryStorage();
    const cut = { ...set, model: set.model.subarray(0, 100) };
    await requestRun(storage, 'r', cut, { policy: policyOf(cut), ...radii });
    expect(await failing(storage, 'r')).toMatchObject([{ type: 'Run Failed', model: 'models/tiny.onnx' }]);
  });

  test('of a model that was replaced before its run began', async () => {
    const storage = memoryStorage();
    await requestRun(storage, 'r', set, { policy: policyOf(set, { modelHash: 'f'.repeat(64) }), ...radii });
    const problem = expect.stringContaining('it was replaced since the run was asked for');
    expect(await failing(storage, 'r')).toMatchObject([{ type: 'Run Failed', problems: [problem] }]);
  });

  test('of verdicts that contradict, under a name of its own', async () => {
    const storage = memoryStorage();
    await requestRun(storage, 'r', set, { policy: policyOf(set), ...radii });
    await planRun(storage, 'r');
    const events: PolicyEvent[] = [];
    const failed = { error: 'ContradictionError', problems: ['input 3 at radius 0'] };
    await reportRun(storage, 'r', failed, Date.now, { publish: async (some) => void events.push(...some) });
    expect(events).toMatchObject([{ type: 'Verdicts Contradict', problems: failed.problems }]);
    expect(await storage.list('verdicts/')).toEqual([]);
  });
});
