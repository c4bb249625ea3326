import { ExecutionExistsError, type Executions, openExecutions } from '../../lib/serve/step-functions/executions';
import type { Storage } from '../../lib/storage/storage';
import type { ExecutionResult } from '../../lib/workflow/interpreter/execute';
import { memoryStorage } from '../support/memory-storage';

/** Executions whose work is ended by the test. */
function setUp(storage: Storage = memoryStorage()) {
  const running: { name: string; end: (result?: Partial<ExecutionResult>) => void; signal: AbortSignal }[] = [];
  const lines: string[] = [];
  let time = Date.parse('2026-11-22T12:00:00Z');
  const opened = openExecutions({
    storage,
    log: (line) => lines.push(line),
    now: () => (time += 1000),
    run: ({ name }, signal) =>
      new Promise((resolve) => {
        const aborted: ExecutionResult = { status: 'ABORTED', cause: 'aborted', events: 1 };
        signal.addEventListener('abort', () => resolve(aborted));
        const done: ExecutionResult = { status: 'SUCCEEDED', output: { done: name }, events: 1 };
        running.push({ name, signal, end: (result = {}) => resolve({ ...done, ...result } as ExecutionResult) });
      }),
  });
  return { opened, running, lines, storage };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const statusOf = (executions: Executions, name: string) => executions.find(name)?.status;

test('run one after the other, in the order of their start, and end with output or error', async () => {
  const { opened, running } = setUp();
  const executions = await opened;
  await executions.start('a', '{}');
  await executions.start('b', '{}');
  await settled();
  expect(running.map(({ name }) => name)).toEqual(['a']);
  running[0].end();
  await settled();
  expect(running.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(executions.find('a')).toMatchObject({
    status: 'SUCCEEDED',
    output: '{"done":"a"}',
    stopDate: expect.anything(),
  });
  running[1].end({ status: 'FAILED', error: 'Bad', cause: 'because' });
  await settled();
  expect(executions.find('b')).toMatchObject({ status: 'FAILED', error: 'Bad', cause: 'because' });
  expect(executions.find('b')).not.toHaveProperty('output');
  expect(executions.list().map(({ name }) => name)).toEqual(['b', 'a']);
});

test('a name starts once: with the same input while it runs it is the same, otherwise refused', async () => {
  const { opened, running } = setUp();
  const executions = await opened;
  const [first, second] = await Promise.all([executions.start('a', '{"x":1}'), executions.start('a', '{"x":1}')]);
  expect(second).toEqual(first);
  await settled();
  expect(running).toHaveLength(1);
  await expect(executions.start('a', '{"x":2}')).rejects.toThrow(ExecutionExistsError);
  running[0].end();
  await settled();
  await expect(executions.start('a', '{"x":1}')).rejects.toThrow('execution a exists already (SUCCEEDED)');
});

test('stopped, one ends at once, at work or waiting, and never runs', async () => {
  const { opened, running } = setUp();
  const executions = await opened;
  await executions.start('a', '{}');
  await executions.start('b', '{}');
  await settled();
  expect(await executions.stop('b', 'Cancelled', 'by hand')).toMatchObject({ status: 'ABORTED', error: 'Cancelled' });
  expect(await executions.stop('a')).toMatchObject({ status: 'ABORTED', stopDate: expect.anything() });
  expect(running[0].signal.aborted).toBe(true);
  await settled();
  expect(running.map(({ name }) => name)).toEqual(['a']);
  expect(await executions.stop('none')).toBeUndefined();
});

test('interrupted by the end of the server, those under way and those that wait go on with the next one', async () => {
  const first = setUp();
  const executions = await first.opened;
  for (const name of ['done', 'stopped', 'b', 'a']) await executions.start(name, `{"of":"${name}"}`);
  await settled();
  first.running[0].end();
  await executions.stop('stopped');
  await settled();
  await executions.close();
  expect(first.running.map(({ name }) => name)).toEqual(['done', 'b']);
  expect(statusOf(executions, 'b')).toBe('RUNNING');

  const second = setUp(first.storage);
  const again = await second.opened;
  expect(second.lines.filter((line) => line.includes('was interrupted'))).toHaveLength(2);
  await settled();
  second.running[0].end();
  await settled();
  second.running[1].end();
  await settled();
  expect(second.running.map(({ name }) => name)).toEqual(['b', 'a']);
  expect(again.find('a')).toMatchObject({ status: 'SUCCEEDED', input: '{"of":"a"}', resumed: 1 });
  expect([statusOf(again, 'done'), statusOf(again, 'stopped')]).toEqual(['SUCCEEDED', 'ABORTED']);
});

test('a record that cannot be read is named, and the others are there', async () => {
  const storage = memoryStorage();
  const first = setUp(storage);
  await (await first.opened).start('a', '{}');
  await storage.put('executions/cut.json', '{"version": 1, "na');
  const second = setUp(storage);
  const executions = await second.opened;
  expect(executions.list().map(({ name }) => name)).toEqual(['a']);
  expect(second.lines).toContainEqual(expect.stringMatching(/an execution is left out: executions\/cut\.json/));
});

test('an execution whose start cannot be written does not run', async () => {
  const storage = memoryStorage();
  const { opened, running } = setUp({
    ...storage,
    put: () => Promise.reject(new Error('the disk is full')),
  });
  const executions = await opened;
  await expect(executions.start('a', '{}')).rejects.toThrow('the disk is full');
  await settled();
  expect([running, executions.list()]).toEqual([[], []]);
});
