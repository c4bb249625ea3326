import { fakeClock } from '../support/fake-clock';
import { fakeServices, lambdaTask, run } from '../support/run';

describe('variables and expressions', () => {
  test('Assign sets variables for the states that follow', async () => {
    const result = await run(
      {
        A: { Type: 'Pass', Assign: { n: '{% $states.input.q + 1 %}' }, Next: 'B' },
        B: { Type: 'Pass', Output: { v: '{% $n * 2 %}', fixed: [true, null] }, End: true },
      },
      { q: 1 },
    );
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { v: 4, fixed: [true, null] } });
  });

  test('Assign and Output see the variables as they were before', async () => {
    const result = await run({
      A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { x: '{% $y %}', y: '{% $x %}' }, Output: '{% $x %}', Next: 'C' },
      C: { Type: 'Pass', Output: '{% [$states.input, $x, $y] %}', End: true },
    });
    expect(result).toMatchObject({ output: [1, 2, 1] });
  });

  test.each([
    ['nothing', '{% $states.input.missing %}', 'undefined'],
    ['a function', '{% $sum %}', 'function'],
    ['a function inside a value', '{% [1, function($x) { $x }] %}', 'function'],
    ['a failing expression', "{% 1 + 'a' %}", 'number'],
  ])('%s is a States.QueryEvaluationError', async (_what, expression, why) => {
    const result = await run({ A: { Type: 'Pass', Output: { deep: expression }, End: true } });
    expect(result).toMatchObject({
      status: 'FAILED',
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining('A/Output/deep'),
    });
    expect(result).toMatchObject({ cause: expect.stringContaining(why) });
  });

  test('the context names execution, machine and state', async () => {
    const output =
      '{% [$states.context.Execution.Name, $states.context.StateMachine.Id, $states.context.StateMachine.Name, $states.context.State.Name, $states.context.Execution.StartTime] %}';
    const result = await run({ A: { Type: 'Pass', Output: output, End: true } }, {}, { clock: fakeClock() });
    expect(result).toMatchObject({
      output: ['test', 'arn:aws:states:local:000000000000:stateMachine:test', 'test', 'A', '2026-11-20T02:00:00.000Z'],
    });
  });
});

describe('Choice', () => {
  const choice = (rest: object) => ({
    C: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.n > 1 %}', Next: 'Yes', Assign: { why: 'rule' } },
        { Condition: '{% $states.input.n > 0 %}', Next: 'Yes', Assign: { why: 'second rule' } },
      ],
      ...rest,
    },
    Yes: { Type: 'Pass', Output: '{% $why %}', End: true },
  });

  test.each([
    [2, 'rule'],
    [1, 'second rule'],
    [0, 'default'],
  ])('n = %p goes by the %s', async (n, output) => {
    const result = await run(choice({ Default: 'Yes', Assign: { why: 'default' } }), { n });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output });
  });

  test('without a rule or Default that fits: States.NoChoiceMatched', async () => {
    expect(await run(choice({}), { n: 0 })).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });

  test('a condition that is not a boolean: States.QueryEvaluationError', async () => {
    const states = {
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.n %}', Next: 'S' }], Default: 'S' },
      S: { Type: 'Succeed' },
    };
    expect(await run(states, { n: 'true' })).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('Wait', () => {
  test('waits for seconds, and until a time', async () => {
    const clock = fakeClock();
    const states = {
      A: { Type: 'Wait', Seconds: '{% $states.input.seconds %}', Next: 'B' },
      B: { Type: 'Wait', Timestamp: '2026-11-20T02:01:00Z', Next: 'C' },
      C: { Type: 'Wait', Timestamp: '2026-11-20T02:00:00Z', End: true },
    };
    expect(await run(states, { seconds: 20 }, { clock })).toMatchObject({ status: 'SUCCEEDED' });
    expect(clock.slept).toEqual([20, 40, 0]);
  });

  test.each([[-1], [1.5], ['3']])('%p seconds: States.QueryEvaluationError', async (seconds) => {
    const result = await run({ A: { Type: 'Wait', Seconds: '{% $states.input.seconds %}', End: true } }, { seconds });
    expect(result).toMatchObject({ error: 'States.QueryEvaluationError' });
  });

  test.each(['2026-11-20 02:01:00Z', '2026-11-20T02:01:00', '2026-13-20T02:01:00Z', '2026-11-20T25:01:00Z'])(
    'time %p: States.QueryEvaluationError',
    async (time) => {
      const result = await run({ A: { Type: 'Wait', Timestamp: time, End: true } });
      expect(result).toMatchObject({ error: 'States.QueryEvaluationError' });
    },
  );
});

describe('limits', () => {
  const big = 'x'.repeat(262_143);

  test('a result of more than 262,144 bytes is States.DataLimitExceeded, which States.ALL does not catch', async () => {
    const states = {
      A: lambdaTask('f', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }], End: true }),
      B: { Type: 'Pass', End: true },
    };
    const services = fakeServices({ f: () => big });
    expect(await run(states, {}, { services })).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('it is caught by its name', async () => {
    const states = {
      A: lambdaTask('f', {
        Catch: [{ ErrorEquals: ['States.DataLimitExceeded'], Output: 'caught', Next: 'B' }],
        End: true,
      }),
      B: { Type: 'Pass', End: true },
    };
    expect(await run(states, {}, { services: fakeServices({ f: () => big }) })).toMatchObject({ output: 'caught' });
  });

  test('262,144 bytes fit', async () => {
    const states = { A: { Type: 'Pass', End: true } };
    expect(await run(states, 'x'.repeat(262_142))).toMatchObject({ status: 'SUCCEEDED' });
    expect(await run(states, big)).toMatchObject({ error: 'States.DataLimitExceeded' });
  });

  test('an execution ends at 25,000 events', async () => {
    const states = {
      A: { Type: 'Pass', Next: 'B' },
      B: { Type: 'Choice', Choices: [{ Condition: true, Next: 'A' }] },
    };
    const result = await run(states);
    expect(result).toMatchObject({ status: 'FAILED', error: 'States.Runtime', events: 25_000 });
  });

  test('events are counted as on AWS', async () => {
    const types: string[] = [];
    const result = await run(
      { A: lambdaTask('f', { Next: 'B' }), B: { Type: 'Succeed' } },
      {},
      {
        services: fakeServices({ f: () => 1 }),
        onEvent: (event) => void (event.kind === 'history' && types.push(event.type)),
      },
    );
    expect(types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
    expect(result.events).toBe(types.length);
  });
});

test('cancelled by its signal, an execution ends as ABORTED', async () => {
  const cancel = new AbortController();
  const services = fakeServices({ f: () => new Promise(() => cancel.abort(new Error('Ctrl-C'))) });
  const states = {
    A: lambdaTask('f', { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }], End: true }),
    B: { Type: 'Pass', End: true },
  };
  expect(await run(states, {}, { services, signal: cancel.signal })).toMatchObject({
    status: 'ABORTED',
    cause: 'Ctrl-C',
  });
});
