import { problemOfNewRun } from '../../lib/client/attempts';
import { cancelRun } from '../../lib/client/cancel';
import type { Deployment } from '../../lib/client/connect';
import type { Execution, RemoteExecutions } from '../../lib/client/executions';
import { followRun } from '../../lib/client/follow';
import { listRuns } from '../../lib/client/list';
import { runIdOf, submitRun } from '../../lib/client/submit';
import { uploadDataSet, uploadModel } from '../../lib/client/upload';
import { watchRun } from '../../lib/client/watch';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { openRecords } from '../../lib/dataset/records';
import { BadInputError } from '../../lib/errors';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { capsKey, failureKey, planKey, stateKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { reportRun } from '../../lib/pipeline/report';
import { createVerifier } from '../../lib/pipeline/verify';
import type { RunRequest } from '../../lib/schedule/records';
import { decodeState } from '../../lib/schedule/state-file';
import { summarise } from '../../lib/schedule/summary';
import type { Storage } from '../../lib/storage/storage';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { dataSetOf, requestRun, tinySet } from '../support/tiny-run';

interface FakeExecutions extends RemoteExecutions {
  readonly calls: string[];
  /** What was started with what. */
  readonly inputs: unknown[];
  /** Makes or changes an execution. */
  set(name: string, more: Partial<Execution>): void;
  clear(): void;
}

/** Executions that only have a state. */
function fakeExecutions(): FakeExecutions {
  const known = new Map<string, Execution>();
  const calls: string[] = [];
  const inputs: unknown[] = [];
  const set: FakeExecutions['set'] = (name, more) => {
    const fresh: Execution = { name, status: 'RUNNING', startDate: new Date(0), stopDate: undefined };
    known.set(name, { ...(known.get(name) ?? fresh), ...more });
  };
  return {
    calls,
    inputs,
    set,
    clear: () => known.clear(),
    async start(name, input) {
      calls.push(`start ${name}`);
      inputs.push(input);
      if (known.has(name)) return 'exists';
      set(name, {});
      return 'started';
    },
    find: async (name) => known.get(name),
    async *all() {
      yield* [...known.values()].reverse();
    },
    stop: async (name, cause) => set(name, { status: 'ABORTED', error: 'Cancelled', cause }),
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
  const anyRequest = async (more: object = {}) => ({
    ...(await requestRun(memoryStorage(), 'none', await tinySet({ count: 5 }))),
    ...more,
  });

  test('has an id by all that it asks, but its caps', async () => {
    const request = await anyRequest();
    const id = runIdOf('my model'.repeat(20), request);
    expect(id).toMatch(/^my_modelmy_model.*-[0-9a-f]{16}$/);
    expect([id.length <= 75, problemOfNewRun(id)]).toEqual([true, undefined]);
    expect(runIdOf('m', { ...request, maxUsd: 1 })).toBe(runIdOf('m', request));
    expect(runIdOf('m', { ...request, seed: 1 })).not.toBe(runIdOf('m', request));
    expect(['a--2', 'a'.repeat(76)].filter((name) => problemOfNewRun(name) === undefined)).toEqual([]);
  });

  test('is started once, is found while it runs, and goes on as a further attempt when it was stopped', async () => {
    const { storage, executions, deployment } = setUp();
    const request = await anyRequest();
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'started', run: 'r' });
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'running', run: 'r' });
    await cancelRun(deployment, 'r');
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'resumed', run: 'r' });
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'running', run: 'r' });
    expect(await cancelRun(deployment, 'r')).toMatchObject({ kind: 'cancelled' });
    expect(await submitRun(deployment, 'r', request)).toEqual({ kind: 'resumed', run: 'r' });
    expect(executions.calls).toEqual(['start r', 'start r--2', 'start r--3']);
    expect(await listRuns(executions, 10)).toMatchObject([{ run: 'r', status: 'RUNNING' }]);
    expect(await listRuns(executions, 10, 'ABORTED')).toEqual([]);
    // Forgotten by Step Functions, but reported.
    executions.clear();
    await storage.put('runs/r/report.json', '{}');
    const ended = { kind: 'ended', run: 'r', status: 'SUCCEEDED', capped: false };
    expect(await submitRun(deployment, 'r', request)).toEqual(ended);
  });

  test.each([
    ['FAILED', 'BadInputError', 'ended'],
    ['FAILED', 'Lambda.Unknown', 'resumed'],
    ['TIMED_OUT', undefined, 'resumed'],
    ['SUCCEEDED', undefined, 'ended'],
  ] as const)('that ended as %s (%s) has %s', async (status, error, kind) => {
    const { executions, deployment } = setUp();
    const request = await anyRequest();
    await submitRun(deployment, 'r', request);
    executions.set('r', { status, ...(error && { error }) });
    expect(await submitRun(deployment, 'r', request)).toMatchObject({ kind, run: 'r' });
  });

  test('that stopped at its cap goes on with a larger one only', async () => {
    const { storage, executions, deployment } = setUp();
    const request = await anyRequest({ maxUsd: 1 });
    await submitRun(deployment, 'r', request);
    executions.set('r', { status: 'SUCCEEDED' });
    const stopped = { round: 1, problem: 'the run stopped at its cap' };
    await storage.put(capsKey('r'), JSON.stringify({ version: 1, caps: { maxUsd: 1 }, since: 0, stopped }));
    for (const maxUsd of [0.5, 1, undefined]) {
      const again = await submitRun(deployment, 'r', { ...request, maxUsd } as RunRequest);
      expect(again).toMatchObject({ kind: 'ended', status: 'SUCCEEDED', capped: true });
    }
    expect(await submitRun(deployment, 'r', { ...request, maxUsd: 2 })).toMatchObject({ kind: 'resumed' });
    expect(executions.inputs.at(-1)).toEqual({ kind: 'run', bucket: 'b', run: 'r', maxUsd: 2 });
  });

  test('that broke off before its start is started; another of the same id is refused', async () => {
    const { executions, deployment } = setUp();
    const request = await anyRequest();
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
  executions.set('r', { status: 'SUCCEEDED' });
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
      const error = name === 'r' ? answers[looks++] : undefined;
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
    executions.set('r', { status, stopDate, ...why });
    if (record) await storage.put(failureKey('r'), JSON.stringify(record));
    expect(await watch(deployment, 'r')).toMatchObject({ kind: 'failed', ...expected });
  });

  test('is not cancelled again', async () => {
    const { executions, deployment } = setUp();
    executions.set('r', { status: 'FAILED' });
    expect(await cancelRun(deployment, 'r')).toEqual({ kind: 'ended', status: 'FAILED' });
    await expect(cancelRun(deployment, 'none')).rejects.toThrow('there is no such run');
  });
});
