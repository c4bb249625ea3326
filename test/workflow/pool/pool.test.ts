import { fork } from 'node:child_process';
import { createPool, type Pool, type PoolOptions } from '../../../lib/workflow/pool/pool';
import { bundle } from '../support/bundle';

const { entry, remove } = bundle('pool-entry.ts');
const pools: Pool[] = [];

function pool(options: Partial<PoolOptions> = {}): Pool {
  const created = createPool({ entry, size: 1, timeoutFor: () => 30, ...options });
  pools.push(created);
  return created;
}

afterEach(() => Promise.all(pools.splice(0).map((open) => open.close())));
afterAll(remove);

const pidOf = async (of: Pool) => ((await of.invoke('whoAmI', null)).payload as { pid: number }).pid;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function failureOf(promise: Promise<unknown>): Promise<{ error: string; cause: Record<string, unknown> }> {
  const thrown = await promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );
  return { error: thrown.error, cause: JSON.parse(thrown.cause) };
}

describe('results', () => {
  test('payloads go there and back as JSON', async () => {
    const payload = { a: [1, 'two', null, true], b: { c: 0.1 } };
    const shared = pool();
    expect((await shared.invoke('echo', payload)).payload).toEqual(payload);
    expect((await shared.invoke('nothing', payload)).payload).toBeNull();
  });

  test('a process is reused while it lives', async () => {
    const shared = pool({ env: { COLOUR: 'green' }, memoryMb: 64 });
    const first = (await shared.invoke('whoAmI', null)).payload;
    const second = (await shared.invoke('whoAmI', null)).payload;
    expect(first).toMatchObject({
      calls: 1,
      colour: 'green',
      execArgv: ['--single-threaded-gc', '--no-incremental-marking', '--max-old-space-size=64'],
    });
    expect(second).toEqual({ ...(first as object), calls: 2 });
  });

  test('as many at the same time as the size says, the others after them', async () => {
    const shared = pool({ size: 2 });
    const pids = await Promise.all([1, 2, 3, 4].map(() => shared.invoke('wait', 200)));
    expect(new Set(pids.map(({ payload }) => payload)).size).toBe(2);
  });

  test('CPU seconds are those of the invocation', async () => {
    const shared = pool();
    const { cpuSeconds: busy } = await shared.invoke('work', 0.2);
    const { cpuSeconds: lazy } = await shared.invoke('echo', 1);
    expect(busy).toBeGreaterThanOrEqual(0.2);
    expect(lazy).toBeLessThan(0.1);
  });

  test('output is handed on', async () => {
    const lines: string[] = [];
    const shared = pool({ onOutput: (text) => lines.push(text) });
    await shared.invoke('print', 'hello');
    await shared.close();
    expect(lines.join('')).toBe('hello\n');
  });
});

describe('failures of a handler', () => {
  test('have the name of its error, and a JSON cause as Lambda writes it', async () => {
    expect(await failureOf(pool().invoke('throwError', null))).toEqual({
      error: 'RangeError',
      cause: {
        errorType: 'RangeError',
        errorMessage: 'too big',
        trace: expect.arrayContaining(['RangeError: too big', expect.stringContaining('at ')]),
      },
    });
  });

  test('may be anything thrown, or a function that does not exist', async () => {
    const shared = pool();
    expect(await failureOf(shared.invoke('throwText', null))).toMatchObject({ cause: { errorMessage: 'just text' } });
    expect(await failureOf(shared.invoke('missing', null))).toMatchObject({
      error: 'RangeError',
      cause: { errorMessage: 'there is no function missing' },
    });
  });

  test('bad input keeps its problems, within the length of a cause', async () => {
    const shared = pool();
    expect(await failureOf(shared.invoke('badInput', 2))).toMatchObject({
      error: 'BadInputError',
      cause: { subject: 'model m.onnx', problems: [expect.stringMatching(/^problem 0/), expect.any(String)] },
    });
    const many = await failureOf(shared.invoke('badInput', 200));
    expect(many.cause.problems).toHaveLength(200);
    const tooMany = await failureOf(shared.invoke('badInput', 2_000));
    expect(tooMany.error).toBe('BadInputError');
    expect(tooMany.cause.errorMessage).toMatch(/^model m\.onnx: problem 0/);
    expect(JSON.stringify(tooMany.cause).length).toBeLessThanOrEqual(32_768);
  });

  test('leave the process alive', async () => {
    const shared = pool();
    const pid = await pidOf(shared);
    await failureOf(shared.invoke('throwError', null));
    expect(await pidOf(shared)).toBe(pid);
  });
});

describe('crashes are Lambda.Unknown, and the pool goes on', () => {
  test.each([
    ['exit', 3, { exitCode: 3, stderr: 'last words\n' }],
    ['exit', 0, { exitCode: 0 }],
    ['kill', null, { signal: 'SIGKILL', errorMessage: 'the process of the function was ended by signal SIGKILL' }],
    ['rejectLater', null, { exitCode: 1, stderr: expect.stringContaining('nobody listens') }],
  ])('%s(%p)', async (name, payload, cause) => {
    const shared = pool();
    expect(await failureOf(shared.invoke(name, payload))).toMatchObject({ error: 'Lambda.Unknown', cause });
    expect((await shared.invoke('echo', 'again')).payload).toBe('again');
  });

  test('out of memory', async () => {
    const { error, cause } = await failureOf(pool({ memoryMb: 32 }).invoke('fillMemory', null));
    expect(error).toBe('Lambda.Unknown');
    expect(cause).toMatchObject({ signal: 'SIGABRT', stderr: expect.stringContaining('heap out of memory') });
  });

  test('an entry that does not exist', async () => {
    const { error, cause } = await failureOf(pool({ entry: `${entry}.missing` }).invoke('echo', null));
    expect(error).toBe('Lambda.Unknown');
    expect(cause.stderr).toContain('Cannot find module');
  });
});

describe('time-outs and cancellation kill the process', () => {
  test('a busy loop ends at its time-out, as Sandbox.Timedout', async () => {
    const shared = pool({ timeoutFor: (name) => (name === 'spin' ? 0.5 : 30) });
    const pid = await pidOf(shared);
    expect(await failureOf(shared.invoke('spin', 60))).toEqual({
      error: 'Sandbox.Timedout',
      cause: { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 0.50 seconds' },
    });
    expect(isAlive(pid)).toBe(false);
    expect(await pidOf(shared)).not.toBe(pid);
  });

  test('the time-out of an invocation goes before that of its function', async () => {
    const invoked = pool().invoke('spin', 60, { timeoutSeconds: 0.3 });
    expect(await failureOf(invoked)).toMatchObject({ error: 'Sandbox.Timedout' });
  });

  test('waiting for a place is not part of the time-out', async () => {
    const shared = pool();
    await pidOf(shared); // so that the process is running
    const results = await Promise.all([1, 2, 3].map(() => shared.invoke('wait', 700, { timeoutSeconds: 2 })));
    expect(results).toHaveLength(3);
  });

  test('an aborted signal ends what is at work and what waits', async () => {
    const shared = pool();
    const pid = await pidOf(shared);
    const cancel = new AbortController();
    const atWork = shared.invoke('spin', 60, { signal: cancel.signal });
    const waiting = shared.invoke('echo', 1, { signal: cancel.signal });
    setTimeout(() => cancel.abort(new Error('Ctrl-C')), 50);
    await expect(waiting).rejects.toThrow('Ctrl-C');
    await expect(atWork).rejects.toThrow('Ctrl-C');
    await expect(shared.invoke('echo', 1, { signal: cancel.signal })).rejects.toThrow('Ctrl-C');
    expect(isAlive(pid)).toBe(false);
    expect((await shared.invoke('echo', 'again')).payload).toBe('again');
  });

  test('close ends all, and nothing can be invoked after it', async () => {
    const shared = pool();
    const pid = await pidOf(shared);
    const atWork = shared.invoke('spin', 60);
    const rejected = expect(atWork).rejects.toThrow('the pool is closed');
    await shared.close();
    await rejected;
    expect(isAlive(pid)).toBe(false);
    await expect(shared.invoke('echo', 1)).rejects.toThrow('the pool is closed');
  });

  test('children end when the process of the pool is killed', async () => {
    const parent = bundle('pool-parent.ts');
    try {
      const running = fork(parent.entry, [entry], { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      const pid = Number(await new Promise((resolve) => running.stdout!.once('data', resolve)));
      expect(isAlive(pid)).toBe(true);
      running.kill('SIGKILL');
      for (let tries = 0; isAlive(pid) && tries < 100; tries++) await new Promise((later) => setTimeout(later, 50));
      expect(isAlive(pid)).toBe(false);
    } finally {
      parent.remove();
    }
  });
});
