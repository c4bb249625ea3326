import { isDeepStrictEqual } from 'node:util';
import { BadInputError } from '../../lib/errors';
import { getJson } from '../../lib/storage/storage';
import type { WorkflowEvent } from '../../lib/workflow/interpreter/services';
import {
  createLocalMachine,
  type LocalMachineOptions,
  type RunLocallyOptions,
  runLocally,
} from '../../lib/workflow/local';
import { memoryStorage } from '../support/memory-storage';
import { fakeClock } from './support/fake-clock';
import { fail, fakePool, runEvent, twoRounds } from './support/fake-functions';

type Handlers = ReturnType<typeof twoRounds>;

function setUp(change: (handlers: Handlers) => Partial<Handlers> = () => ({})) {
  const storage = memoryStorage();
  const handlers = twoRounds(storage);
  const pool = fakePool({ ...handlers, ...change(handlers) });
  const options: LocalMachineOptions = { storage, bucket: 'data', pool, concurrency: 4, clock: fakeClock() };
  const run = (input: unknown, rest: Partial<RunLocallyOptions> = {}) => runLocally({ ...options, input, ...rest });
  const callsOf = (name: string) => pool.calls.filter((call) => call.name === name).map(({ payload }) => payload);
  return { storage, pool, options, run, callsOf };
}

describe('a run', () => {
  test('goes from plan over two rounds to the report', async () => {
    const { run, pool, callsOf } = setUp();
    const result = await run(runEvent('r1'));
    expect(result).toMatchObject({
      status: 'SUCCEEDED',
      output: { reportKey: 'runs/r1/report.json', counts: { robust: 3 }, status: 'done' },
      cpuSeconds: { plan: 0.5, verify: 3, coordinate: 1, report: 0.5 },
    });
    expect(pool.calls.map(({ name }) => name)).toEqual([
      'plan',
      ...['verify', 'verify', 'verify', 'coordinate'],
      ...['verify', 'verify', 'verify', 'coordinate'],
      'report',
    ]);
    expect(callsOf('plan')).toEqual([{ event: runEvent('r1'), execution: expect.any(String) }]);
    expect(callsOf('verify').slice(2, 4)).toEqual([
      { bucket: 'data', batch: { id: '0-2' } },
      { bucket: 'data', batch: { id: '1-0' } },
    ]);
    expect(callsOf('report')).toEqual([{ run: { id: 'r1', bucket: 'data' } }]);
  });

  test('the second, long round has Standard children, and a round costs few events', async () => {
    const events: WorkflowEvent[] = [];
    const result = await setUp().run(runEvent('r1'), { onEvent: (event) => void events.push(event) });
    const states = events.flatMap((event) =>
      event.kind === 'history' && event.type === 'MapStateEntered' ? [event.detail.state] : [],
    );
    expect(states).toEqual(['Round', 'LongRound']);
    const items = events.filter(({ kind }) => kind === 'item');
    expect(items.at(-1)).toMatchObject({ state: 'LongRound', done: 3, failed: 0, total: 3 });
    // 25,000 events are the limit: some 1,900 rounds.
    const perRound = 13;
    expect(result.events).toBeLessThanOrEqual(2 * perRound + 19);
  });

  test('a crash of one mini-batch is a result for the coordinator', async () => {
    const { run, storage } = setUp(({ verify }) => ({
      verify: (payload: never) =>
        (payload as { batch: { id: string } }).batch.id === '0-1' ? fail('Lambda.Unknown', 'killed') : verify(payload),
    }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'SUCCEEDED' });
    expect(await getJson(storage, 'runs/r1/failures-0.json')).toEqual([
      { id: '0-1', error: 'Lambda.Unknown', cause: 'killed', seconds: 0 },
    ]);
    expect(await getJson(storage, 'runs/r1/failures-1.json')).toEqual([]);
  });

  test.each(['plan', 'coordinate', 'report'] as const)('a crash of %s is retried once', async (name) => {
    for (const [error, crashes, calls, status] of [
      ['Lambda.Unknown', 1, 2, 'SUCCEEDED'],
      ['Runtime.ExitError', 1, 2, 'SUCCEEDED'],
      ['Lambda.Unknown', 2, 2, 'FAILED'],
      ['Sandbox.Timedout', 1, 1, 'FAILED'],
    ] as const) {
      let left: number = crashes;
      const { run, callsOf } = setUp((handlers) => ({
        [name]: (payload: never) => (left-- > 0 ? fail(error, 'killed') : handlers[name](payload)),
      }));
      expect(await run(runEvent('r1'))).toMatchObject({ status, ...(status === 'FAILED' && { error }) });
      const first = callsOf(name)[0];
      expect(callsOf(name).filter((payload) => isDeepStrictEqual(payload, first))).toHaveLength(calls);
    }
  });

  test('throttling of a mini-batch is retried, crashes and time-outs are not', async () => {
    for (const [error, calls] of [
      ['Lambda.TooManyRequestsException', 7],
      ['Lambda.Unknown', 1],
      ['Sandbox.Timedout', 1],
    ] as const) {
      const { run, callsOf } = setUp(() => ({ verify: () => fail(error) }));
      expect(await run(runEvent('r1'))).toMatchObject({ status: 'SUCCEEDED' });
      expect(callsOf('verify')).toHaveLength(6 * calls);
    }
  });

  test('without anything to verify goes straight to the report', async () => {
    const { run, callsOf } = setUp(({ plan }) => ({
      plan: async (payload: never) => {
        const planned = (await plan(payload)) as { round: object };
        return { ...planned, round: { ...planned.round, done: true } };
      },
    }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'SUCCEEDED' });
    expect([callsOf('verify'), callsOf('report')]).toEqual([[], [{ run: { id: 'r1', bucket: 'data' } }]]);
  });
});

describe('failures are reported', () => {
  test.each(['plan', 'coordinate', 'report'] as const)('of %s', async (name) => {
    const { run, callsOf } = setUp(({ report }) => ({
      [name]: (payload: { failed?: unknown }) =>
        payload.failed ? report(payload as never) : fail('BadInputError', 'no model'),
    }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'FAILED', error: 'BadInputError', cause: 'no model' });
    expect(callsOf('report').at(-1)).toEqual({
      run: { id: 'r1', bucket: 'data' },
      failed: { error: 'BadInputError', cause: 'no model' },
    });
  });

  test('of an input that names no run, under the name of its execution', async () => {
    const { run, callsOf } = setUp(() => ({ plan: () => fail('BadInputError') }));
    await run({}, { name: 'delivery-1' });
    expect(callsOf('report')).toMatchObject([{ run: { id: 'delivery-1', bucket: 'data' } }]);
  });

  test('of a plan that is not in storage', async () => {
    const { run, callsOf } = setUp(({ plan }) => ({
      plan: async (payload: never) => {
        const planned = (await plan(payload)) as { round: object };
        return { ...planned, round: { ...planned.round, planKey: 'missing.jsonl' } };
      },
    }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
    expect(callsOf('report')).toMatchObject([{ failed: { error: 'States.ItemReaderFailed' } }]);
  });

  test('of a result that is too long for a state', async () => {
    const { run, callsOf } = setUp(() => ({ plan: () => 'x'.repeat(300_000) }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect(callsOf('report')).toHaveLength(1);
  });

  test('and the first one counts when the report fails too', async () => {
    const { run } = setUp(() => ({ plan: () => fail('First'), report: () => fail('Second') }));
    expect(await run(runEvent('r1'))).toMatchObject({ status: 'FAILED', error: 'First' });
  });
});

test('another bucket is not at hand', async () => {
  const { run } = setUp();
  expect(await run({ ...runEvent('r1'), bucket: 'other' })).toMatchObject({
    status: 'FAILED',
    cause: expect.stringContaining('no bucket other here, only data (memory)'),
  });
});

test('the name of an execution is used once', async () => {
  const { options } = setUp();
  const machine = createLocalMachine(options);
  await machine.start(runEvent('r1'), { name: 'n' });
  await expect(machine.start(runEvent('r1'), { name: 'n' })).rejects.toThrow('ExecutionAlreadyExistsException');
});

test('cancelled, it ends as ABORTED without a report', async () => {
  const cancel = new AbortController();
  const { run, callsOf } = setUp(() => ({ verify: () => cancel.abort(new Error('Ctrl-C')) }));
  expect(await run(runEvent('r1'), { signal: cancel.signal })).toMatchObject({ status: 'ABORTED', cause: 'Ctrl-C' });
  expect(callsOf('report')).toEqual([]);
});

test('a definition with anything unknown is refused before it runs', () => {
  const definition = { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Parallel', End: true } } };
  expect(() => createLocalMachine({ ...setUp().options, definition })).toThrow(BadInputError);
});
