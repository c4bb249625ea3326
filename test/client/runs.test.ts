import { cancelRun } from '../../lib/client/cancel';
import type { Deployment } from '../../lib/client/connect';
import type { Execution, RemoteExecutions } from '../../lib/client/executions';
import { followRun } from '../../lib/client/follow';
import { runIdOf, submitRun } from '../../lib/client/submit';
import { uploadDataSet, uploadModel } from '../../lib/client/upload';
import { watchRun } from '../../lib/client/watch';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { openRecords } from '../../lib/dataset/records';
import { BadInputError } from '../../lib/errors';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { failureKey, planKey, stateKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { reportRun } from '../../lib/pipeline/report';
import { createVerifier } from '../../lib/pipeline/verify';
import { decodeState } from '../../lib/schedule/state-file';
import { summarise } from '../../lib/schedule/summary';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { dataSetOf, requestRun, tinySet } from '../support/tiny-run';

/** Executions that only have a state. */
function fakeExecutions(): RemoteExecutions & { readonly all: Map<string, Execution>; readonly calls: string[] } {
  const all = new Map<string, Execution>();
  const calls: string[] = [];
  const be = (name: string, status: Execution['status'], more: object = {}): void => {
    all.set(name, { name, status, startDate: new Date(0), stopDate: undefined, ...more });
  };
  return {
    all,
    calls,
    async start(name) {
      calls.push(`start ${name}`);
      if (all.has(name)) return 'exists';
      be(name, 'RUNNING');
      return 'started';
    },
    find: async (name) => all.get(name),
    list: async () => [...all.values()],
    async stop(name, cause) {
      be(name, 'ABORTED', { error: 'Cancelled', cause });
    },
    async redrive(name) {
      calls.push(`redrive ${name}`);
      be(name, 'RUNNING');
    },
  };
}

function setUp() {
  const storage = memoryStorage();
  const executions = fakeExecutions();
  return { storage, executions, deployment: { bucket: 'b', storage, executions } satisfies Deployment };
}

const watch = (deployment: Deployment, run: string) =>
  watchRun(deployment, { run, interval: 0, signal: new AbortController().signal, onProgress: () => {} });

describe('uploads', () => {
  /** A storage that counts what is put into it. */
  function counting(): { readonly storage: Storage; readonly puts: string[] } {
    const storage = memoryStorage();
    const puts: string[] = [];
    const put: Storage['put'] = (key, body) => {
      puts.push(key);
      return storage.put(key, body);
    };
    return { storage: { ...storage, put }, puts };
  }

  test('are where their content says, and are not put twice', async () => {
    const { storage, puts } = counting();
    const { model, ...set } = await tinySet({ count: 5 });
    const dataset = dataSetOf(set);
    const preprocessing = defaultPreprocessing(dataset);
    const first = [await uploadModel(storage, model), await uploadDataSet(storage, dataset, preprocessing, 'a.csv')];
    const count = puts.length;
    const second = [await uploadModel(storage, model), await uploadDataSet(storage, dataset, preprocessing, 'b.csv')];
    expect(first.map(({ uploaded }) => uploaded)).toEqual([true, true]);
    expect(second).toEqual(first.map(({ key }) => ({ key, uploaded: false })));
    expect(puts).toHaveLength(count);
    expect(first[0].key).toMatch(/^models\/sha256\/[0-9a-f]{64}$/);
    expect(await (await openRecords(storage, first[1].key)).load()).toMatchObject({ count: 5 });
  });

  test('of other pixels, labels, preprocessing or a broken off upload are others', async () => {
    const { storage } = counting();
    const set = await tinySet({ count: 5 });
    const dataset = dataSetOf(set);
    const preprocessing = defaultPreprocessing(dataset);
    const keys = new Set<string>();
    const labels = dataset.labels.map((label) => (label + 1) % 3);
    for (const [data, about] of [
      [dataset, preprocessing],
      [{ ...dataset, labels }, preprocessing],
      [{ ...dataset, values: (dataset.values as Float32Array).map((value) => value / 2) }, preprocessing],
      [dataset, { ...preprocessing, scale: 0.5 }],
    ] as const) {
      keys.add((await uploadDataSet(storage, data, about, 'a')).key);
    }
    expect(keys.size).toBe(4);
    const { key } = await uploadModel(storage, set.model);
    await storage.put(key, set.model.subarray(0, 10));
    expect(await uploadModel(storage, set.model)).toEqual({ key, uploaded: true });
  });
});

describe('a request', () => {
  test('is started once, is found while it runs, goes on when it was stopped, and is left alone when it has ended', async () => {
    const { storage, executions, deployment } = setUp();
    const request = await requestRun(memoryStorage(), 'none', await tinySet({ count: 5 }));
    const run = runIdOf('my model', request);
    expect(run).toMatch(/^my_model-[0-9a-f]{16}$/);
    expect(runIdOf('my model', { ...request, seed: 1 })).not.toBe(run);
    expect(await submitRun(deployment, run, request)).toEqual({ kind: 'started', run });
    expect(await submitRun(deployment, run, request)).toEqual({ kind: 'running', run });
    await cancelRun(deployment, run);
    expect(await submitRun(deployment, run, request)).toEqual({ kind: 'resumed', run });
    executions.all.set(run, { ...executions.all.get(run)!, status: 'FAILED' });
    expect(await submitRun(deployment, run, request)).toEqual({ kind: 'ended', run, status: 'FAILED' });
    expect(executions.calls).toEqual([`start ${run}`, `redrive ${run}`]);
    // Forgotten by Step Functions, but reported.
    executions.all.clear();
    await storage.put(`runs/${run}/report.json`, '{}');
    expect(await submitRun(deployment, run, request)).toEqual({ kind: 'ended', run, status: 'SUCCEEDED' });
  });

  test('that broke off before its start is started; another of the same id is refused', async () => {
    const { executions, deployment } = setUp();
    const request = await requestRun(memoryStorage(), 'none', await tinySet({ count: 5 }));
    const broken = { ...executions, start: () => Promise.reject(new Error('no network')) };
    await expect(submitRun({ ...deployment, executions: broken }, 'r', request)).rejects.toThrow('no network');
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'started', run: 'r' });
    await expect(submitRun(deployment, 'r', { ...request, seed: 9 })).rejects.toThrow(BadInputError);
  });
});

test('progress counts what is merged and what the round under way has found, and ends with the counts of the state', async () => {
  const { storage, executions, deployment } = setUp();
  expect((await followRun(storage, 'r').poll()).phase).toBe('planning');
  await requestRun(storage, 'r', await tinySet({ wrong: 2 }));
  await executions.start('r', { kind: 'run', bucket: 'b', run: 'r' });
  const follower = followRun(storage, 'r');
  const verifier = createVerifier(256 * megabyte);
  let round = await planRun(storage, 'r');
  expect(await follower.poll()).toMatchObject({ balls: 120, settled: 4, misclassified: 4, secondsLeft: undefined });
  let polls = 0;
  const wrong: unknown[] = [];
  let before = 4;
  while (!round.done) {
    const batches = await batchesOf(storage, 'r', round);
    for (const [i, batch] of batches.entries()) {
      await verifier.verify(storage, batch);
      const now = await follower.poll();
      const sums = now.robust + now.notRobust + now.unknown + now.misclassified === now.settled;
      const isRight = sums && now.batches.done === i + 1 && now.batches.planned === batches.length;
      if (!isRight || now.settled < before || now.cost.usd <= 0 || now.velocity <= 0) wrong.push(now);
      before = now.settled;
      polls++;
    }
    round = await coordinateRound(storage, 'r', round.number, []);
  }
  expect([wrong, polls > 3]).toEqual([[], true]);
  const end = await follower.poll();
  const state = summarise(decodeState(await storage.get(stateKey('r', round.number))));
  expect(end).toMatchObject({ settled: 120, secondsLeft: 0, rounds: state.rounds, cpuSeconds: state.cpuSeconds });
  expect(end.robust).toBe(state.radii.reduce((sum, { robust }) => sum + robust, 0));
  expect(await watch(deployment, 'r')).toMatchObject({ kind: 'running', progress: { settled: 120 } });

  await reportRun(storage, 'r', undefined);
  executions.all.set('r', { ...executions.all.get('r')!, status: 'SUCCEEDED' });
  expect(await watch(deployment, 'r')).toMatchObject({ kind: 'done', report: { status: 'done' } });
});

test('a round whose plan is not written yet is looked at again', async () => {
  const { storage } = setUp();
  await requestRun(storage, 'r', await tinySet());
  const round = await planRun(storage, 'r');
  const plan = await storage.get(planKey('r', 0));
  const hidden = { ...storage, get: (key: string) => storage.get(key === planKey('r', 0) && isHidden ? 'none' : key) };
  let isHidden = true;
  const follower = followRun(hidden, 'r');
  expect((await follower.poll()).batches.planned).toBe(0);
  isHidden = false;
  expect(plan.length).toBeGreaterThan(0);
  expect((await follower.poll()).batches.planned).toBe(round.batches);
});

test('watching waits for a connection that breaks off, and for nothing else', async () => {
  const { executions, deployment } = setUp();
  await executions.start('r', { kind: 'run', bucket: 'b', run: 'r' });
  const answers = [undefined, Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }), new Error('AccessDenied')];
  let looks = 0;
  const flaky = {
    ...executions,
    find: async (name: string) => {
      const error = answers[looks++];
      if (error) throw error;
      return executions.find(name);
    },
  };
  const options = { run: 'r', interval: 0.001, signal: new AbortController().signal, onProgress: () => {} };
  await expect(watchRun({ ...deployment, executions: flaky }, options)).rejects.toThrow('AccessDenied');
  expect(looks).toBe(3);
  // Before anything was seen, it is not waited for.
  looks = 1;
  await expect(watchRun({ ...deployment, executions: flaky }, options)).rejects.toThrow('gone');
});

describe('a run that ended early', () => {
  test.each([
    [
      'its own record',
      'FAILED',
      { error: 'BadInputError', problems: ['no model'] },
      { error: 'BadInputError', problems: ['no model'] },
    ],
    ['the execution', 'FAILED', undefined, { error: 'States.Runtime', problems: ['too many events'] }],
    ['a time-out', 'TIMED_OUT', undefined, { error: 'TimedOut', problems: ['the execution took too long'] }],
    ['a cancellation', 'ABORTED', undefined, { error: 'Cancelled', problems: ['too many events'] }],
  ] as const)('says why: %s', async (_, status, record, expected) => {
    const { storage, executions, deployment } = setUp();
    const stopDate = new Date();
    const why = { error: 'States.Runtime', cause: 'too many events' };
    executions.all.set('r', { name: 'r', status, startDate: stopDate, stopDate, ...why });
    if (record) await storage.put(failureKey('r'), JSON.stringify(record));
    expect(await watch(deployment, 'r')).toMatchObject({ kind: 'failed', ...expected });
  });

  test('is not cancelled again', async () => {
    const { executions, deployment } = setUp();
    executions.all.set('r', { name: 'r', status: 'FAILED', startDate: undefined, stopDate: undefined });
    expect(await cancelRun(deployment, 'r')).toEqual({ kind: 'ended', status: 'FAILED' });
    await expect(cancelRun(deployment, 'none')).rejects.toThrow('there is no such run');
  });
});
