import { retryDelay } from '../../../lib/workflow/interpreter/retry';
import { fakeClock } from '../support/fake-clock';
import { fakeServices, lambdaTask, run, throwStates } from '../support/run';

const done = { Type: 'Pass', End: true };

/** A Lambda that fails with these errors, one call each, and then gives 'done'. */
function failing(...errors: string[]) {
  const calls: unknown[] = [];
  const f = (payload: never) => {
    calls.push(payload);
    const error = errors[calls.length - 1];
    return error === undefined ? 'done' : throwStates(error);
  };
  return { calls, services: fakeServices({ f }) };
}

describe('Retry', () => {
  test('waits IntervalSeconds BackoffRate^n, capped, without real time passing', async () => {
    const clock = fakeClock();
    const { services, calls } = failing('Slow', 'Slow', 'Slow', 'Slow');
    const Retry = [{ ErrorEquals: ['Slow'], IntervalSeconds: 3, BackoffRate: 2, MaxAttempts: 4, MaxDelaySeconds: 10 }];
    expect(await run({ A: lambdaTask('f', { Retry, End: true }) }, {}, { services, clock })).toMatchObject({
      output: 'done',
    });
    expect(clock.slept).toEqual([3, 6, 10, 10]);
    expect(calls).toHaveLength(5);
  });

  test('gives up after MaxAttempts, 3 where it is not given', async () => {
    const { services, calls } = failing(...Array<string>(10).fill('Slow'));
    const Retry = [{ ErrorEquals: ['Slow'] }];
    const result = await run({ A: lambdaTask('f', { Retry, End: true }) }, {}, { services, clock: fakeClock() });
    expect(result).toMatchObject({ status: 'FAILED', error: 'Slow', cause: 'why' });
    expect(calls).toHaveLength(4);
  });

  test('the first retrier that matches decides, and each counts for itself', async () => {
    const { services, calls } = failing('A', 'B', 'A', 'B', 'A');
    const Retry = [
      { ErrorEquals: ['A'], MaxAttempts: 2 },
      { ErrorEquals: ['States.ALL'], MaxAttempts: 5 },
    ];
    const result = await run({ A: lambdaTask('f', { Retry, End: true }) }, {}, { services, clock: fakeClock() });
    expect(result).toMatchObject({ status: 'FAILED', error: 'A' });
    expect(calls).toHaveLength(5);
  });

  test('MaxAttempts 0 hands the error to Catch', async () => {
    const { services, calls } = failing('A');
    const Retry = [{ ErrorEquals: ['A'], MaxAttempts: 0 }, { ErrorEquals: ['States.TaskFailed'] }];
    const Catch = [{ ErrorEquals: ['A'], Output: 'caught', Next: 'Done' }];
    const states = { A: lambdaTask('f', { Retry, Catch, End: true }), Done: done };
    expect(await run(states, {}, { services, clock: fakeClock() })).toMatchObject({ output: 'caught' });
    expect(calls).toHaveLength(1);
  });

  test('expressions see the number of retries', async () => {
    const { services, calls } = failing('A', 'A');
    const states = {
      A: lambdaTask('f', {
        Arguments: { FunctionName: 'f', Payload: '{% $states.context.State.RetryCount %}' },
        Retry: [{ ErrorEquals: ['A'] }],
        End: true,
      }),
    };
    await run(states, {}, { services, clock: fakeClock() });
    expect(calls).toEqual([0, 1, 2]);
  });

  test('full jitter takes a random share of the delay', () => {
    const retrier = { ErrorEquals: ['A'], IntervalSeconds: 8, JitterStrategy: 'FULL' as const };
    expect(retryDelay(retrier, 1, () => 0.25)).toBe(4);
    expect(retryDelay({ ErrorEquals: ['A'] }, 2, () => 0.25)).toBe(4);
  });
});

describe('Catch', () => {
  test('gives error and cause as output, and to Assign and Output', async () => {
    const { services } = failing('Broken');
    const states = {
      A: lambdaTask('f', {
        Catch: [{ ErrorEquals: ['States.TaskFailed'], Assign: { e: '{% $states.errorOutput.Error %}' }, Next: 'B' }],
        End: true,
      }),
      B: { Type: 'Pass', Output: '{% [$states.input, $e] %}', End: true },
    };
    expect(await run(states, {}, { services })).toMatchObject({
      output: [{ Error: 'Broken', Cause: 'why' }, 'Broken'],
    });
  });

  test.each([
    ['States.ALL', 'States.Runtime', false],
    ['States.Runtime', 'States.Runtime', false],
    ['States.ALL', 'States.QueryEvaluationError', true],
    ['States.TaskFailed', 'States.Timeout', false],
    ['States.ALL', 'States.Timeout', true],
    ['States.TaskFailed', 'Lambda.Unknown', true],
    ['Lambda.Unknown', 'Sandbox.Timedout', false],
  ])('%s takes %s: %p', async (name, error, caught) => {
    const { services } = failing(error);
    const states = { A: lambdaTask('f', { Catch: [{ ErrorEquals: [name], Next: 'Done' }], End: true }), Done: done };
    expect(await run(states, {}, { services })).toMatchObject({ status: caught ? 'SUCCEEDED' : 'FAILED' });
  });

  test('an Output that cannot be evaluated is caught too', async () => {
    const states = {
      A: lambdaTask('f', {
        Output: '{% $states.result.Payload.missing %}',
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'Done' }],
        End: true,
      }),
      Done: done,
    };
    expect(await run(states, {}, { services: failing().services })).toMatchObject({ output: 'caught' });
  });
});

describe('TimeoutSeconds', () => {
  test('ends a call that hangs, and tells it so', async () => {
    const clock = fakeClock();
    let seen: AbortSignal | undefined;
    const hang = (_payload: never, { signal }: { signal: AbortSignal }) => {
      seen = signal;
      setImmediate(() => clock.advance(289_999));
      setImmediate(() => setImmediate(() => clock.advance(1)));
      return new Promise(() => {});
    };
    const states = { A: lambdaTask('f', { TimeoutSeconds: 290, End: true }) };
    const result = await run(states, {}, { services: fakeServices({ f: hang }), clock });
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Timeout', cause: 'A took longer than 290 s' });
    expect(seen?.aborted).toBe(true);
  });
});

test('startExecution starts this machine, and no other', async () => {
  const start = (arn: string) => ({
    A: {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution',
      Arguments: { StateMachineArn: arn, Name: 'n', Input: {} },
      Output: '{% $states.result.ExecutionArn %}',
      End: true,
    },
  });
  expect(await run(start('{% $states.context.StateMachine.Id %}'))).toMatchObject({ output: 'arn:n' });
  expect(await run(start('arn:other'))).toMatchObject({ error: 'StepFunctions.StateMachineDoesNotExistException' });
});
