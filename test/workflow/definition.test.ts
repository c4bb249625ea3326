import validate from 'asl-validator';
import jsonata from 'jsonata';
import { checkMachine } from '../../lib/workflow/interpreter/check';
import { substitute } from '../../lib/workflow/substitute';
import verification from '../../statemachine/verification.asl.json';

const values = {
  PlanFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:plan',
  VerifyFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:verify',
  RefineFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:refine',
  CoordinateFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:coordinate',
  ReportFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:report',
  BucketName: 'data.bucket-1',
};

test('asl-validator accepts the definition', () => {
  const { isValid, errorsText } = validate(verification);
  expect([isValid, errorsText('\n')]).toEqual([true, '']);
});

test('the interpreter runs all of it, with every substitution made', () => {
  expect(Object.keys(checkMachine(substitute(verification, values)).States)).toContain('Coordinate');
  expect(JSON.stringify(substitute(verification, values))).not.toContain('${');
  expect(() => checkMachine(verification)).toThrow(/PlanFunctionArn.*has no value/);
});

test.each(["a'b", 'a"b', 'a\\b', 'a b', ''])('a value that could break out of its string (%p) is refused', (value) => {
  expect(() => substitute(verification, { ...values, BucketName: value })).toThrow(TypeError);
});

describe('the two rounds', () => {
  const { Round, LongRound } = verification.States;

  test('differ in their children and time-outs only', () => {
    const same = ({ Comment, Label, ItemProcessor, ...rest }: typeof Round | typeof LongRound) => rest;
    expect(same(LongRound)).toEqual(same(Round));
    expect(Round.ItemProcessor.ProcessorConfig.ExecutionType).toBe('EXPRESS');
    expect(LongRound.ItemProcessor.ProcessorConfig.ExecutionType).toBe('STANDARD');
  });

  test.each([
    ['short', Round.ItemProcessor.States.VerifyBatch, [5, 95], [4.2, 95], [280, 290]],
    ['long', LongRound.ItemProcessor.States.VerifyLongBatch, [300, 390], [880, 890], [3600, 890]],
  ])('end a %s mini-batch that hangs soon after its seconds', async (_, { TimeoutSeconds }, ...cases) => {
    const expression = jsonata(/^{% (.*) %}$/.exec(TimeoutSeconds)![1]);
    for (const [seconds, expected] of cases)
      expect(await expression.evaluate({}, { states: { input: { batch: { seconds } } } })).toBe(expected);
  });

  test('never retry a crash or a time-out', () => {
    const retried = [Round.ItemProcessor.States.VerifyBatch, LongRound.ItemProcessor.States.VerifyLongBatch].flatMap(
      ({ Retry }) => Retry.flatMap(({ ErrorEquals }) => ErrorEquals),
    );
    expect(new Set(retried)).toEqual(
      new Set([
        'Lambda.ServiceException',
        'Lambda.AWSLambdaException',
        'Lambda.SdkClientException',
        'Lambda.ClientExecutionTimeoutException',
        'Lambda.TooManyRequestsException',
      ]),
    );
  });
});

test('a crash of the functions around the rounds is retried once', () => {
  const { Plan, Coordinate, Report, ReportFailure } = verification.States;
  for (const { Retry } of [Plan, Coordinate, Report, ReportFailure]) {
    const of = (name: string) => Retry.filter(({ ErrorEquals }) => ErrorEquals.includes(name));
    expect(of('Lambda.Unknown')).toEqual([expect.objectContaining({ MaxAttempts: 1 })]);
    expect(of('States.Timeout')).toEqual([]);
  }
});

test('every Task and Map ends in a report when it fails', () => {
  for (const [name, state] of Object.entries(verification.States)) {
    if (state.Type !== 'Task' && state.Type !== 'Map') continue;
    const next = name === 'ReportFailure' ? 'Failed' : 'ReportFailure';
    expect([name, (state as typeof verification.States.Plan).Catch]).toMatchObject([
      name,
      [
        { ErrorEquals: ['States.DataLimitExceeded'], Next: next },
        { ErrorEquals: ['States.ALL'], Next: next },
      ],
    ]);
  }
});
