import type { Template } from 'aws-cdk-lib/assertions';
import { allowsKey, allowsListing, permissionsOf } from './permissions';
import { synthesise } from './synthesis';

let template: Template;
beforeAll(() => {
  template = synthesise();
});

const list = (patterns: string) => `s3:ListBucket StorageData.Arn if s3:prefix StringLikeIfExists ${patterns}`;
const logs = (name: string) => [
  `logs:CreateLogStream Functions${name}Logs.Arn`,
  `logs:PutLogEvents Functions${name}Logs.Arn`,
];

/** X-Ray takes no resource for them. */
const traces = ['xray:PutTelemetryRecords *', 'xray:PutTraceSegments *'];

describe('what each function may do, and nothing else', () => {
  test('plan', () => {
    expect(permissionsOf(template, 'FunctionsPlanRole')).toEqual([
      ...logs('Plan'),
      's3:GetObject StorageData.Arn/datasets/*',
      's3:GetObject StorageData.Arn/learned/*',
      's3:GetObject StorageData.Arn/models/*',
      's3:GetObject StorageData.Arn/runs/*',
      's3:GetObject StorageData.Arn/verdicts/*',
      list('models/* | datasets/* | learned/* | runs/* | verdicts/*'),
      's3:PutObject StorageData.Arn/runs/*',
      ...traces,
    ]);
  });

  test.each(['Verify', 'Refine'])('%s', (name) => {
    expect(permissionsOf(template, `Functions${name}Role`)).toEqual([
      ...logs(name),
      's3:GetObject StorageData.Arn/datasets/*',
      's3:GetObject StorageData.Arn/lemmas/*',
      's3:GetObject StorageData.Arn/models/*',
      's3:GetObject StorageData.Arn/runs/*',
      list('models/* | datasets/* | runs/* | lemmas/*'),
      's3:PutObject StorageData.Arn/lemmas/*',
      's3:PutObject StorageData.Arn/runs/*/rounds/*',
      ...traces,
    ]);
  });

  test('coordinate', () => {
    expect(permissionsOf(template, 'FunctionsCoordinateRole')).toEqual([
      ...logs('Coordinate'),
      's3:GetObject StorageData.Arn/runs/*',
      list('runs/*'),
      's3:PutObject StorageData.Arn/learned/*',
      's3:PutObject StorageData.Arn/runs/*',
      ...traces,
    ]);
  });

  test('report', () => {
    expect(permissionsOf(template, 'FunctionsReportRole')).toEqual([
      'events:PutEvents NotificationsBus.Arn',
      ...logs('Report'),
      's3:GetObject StorageData.Arn/datasets/*',
      's3:GetObject StorageData.Arn/history/*',
      's3:GetObject StorageData.Arn/runs/*',
      list('runs/* | datasets/* | history/*'),
      's3:PutObject StorageData.Arn/history/*',
      's3:PutObject StorageData.Arn/runs/*',
      's3:PutObject StorageData.Arn/verdicts/*',
      ...traces,
    ]);
  });

  test.each([
    ['Dispatch', 'Model'],
    ['Audit', 'Night'],
  ])('%s', (name, queue) => {
    const ends = ['request', 'report', 'failure'].map((file) => `runs/*/${file}.json`);
    const read = ['models/*', 'policies/*', 'dispatches/*', ...ends];
    expect(permissionsOf(template, `Functions${name}Role`)).toEqual(
      [
        'events:PutEvents NotificationsBus.Arn',
        ...logs(name),
        ...read.map((keys) => `s3:GetObject StorageData.Arn/${keys}`),
        list(read.join(' | ')),
        's3:PutObject StorageData.Arn/dispatches/*',
        's3:PutObject StorageData.Arn/runs/*/request.json',
        ...['GetQueueAttributes', 'GetQueueUrl', 'SendMessage'].map(
          (action) => `sqs:${action} Triggers${queue}DeadLetters.Arn`,
        ),
        'states:StartExecution WorkflowStateMachine',
        ...traces,
      ].sort(),
    );
  });
});

test('the workflow invokes the four functions, runs Distributed Maps over rounds, logs and traces', () => {
  const executions = 'arn:AWS::Partition:states:AWS::Region:AWS::AccountId:execution:WorkflowStateMachine.Name';
  expect(permissionsOf(template, 'WorkflowRole')).toEqual([
    'lambda:InvokeFunction FunctionsCoordinate.Arn',
    'lambda:InvokeFunction FunctionsPlan.Arn',
    'lambda:InvokeFunction FunctionsRefine.Arn',
    'lambda:InvokeFunction FunctionsReport.Arn',
    'lambda:InvokeFunction FunctionsVerify.Arn',
    'logs:CreateLogDelivery *',
    'logs:DeleteLogDelivery *',
    'logs:DescribeLogGroups *',
    'logs:DescribeResourcePolicies *',
    'logs:GetLogDelivery *',
    'logs:ListLogDeliveries *',
    'logs:PutResourcePolicy *',
    'logs:UpdateLogDelivery *',
    's3:AbortMultipartUpload StorageData.Arn/runs/*/rounds/*/map/*',
    's3:GetObject StorageData.Arn/runs/*/rounds/*',
    's3:ListMultipartUploadParts StorageData.Arn/runs/*/rounds/*/map/*',
    's3:PutObject StorageData.Arn/runs/*/rounds/*/map/*',
    `states:DescribeExecution ${executions}/*`,
    `states:DescribeExecution ${executions}:*`,
    `states:RedriveExecution ${executions}/*`,
    'states:StartExecution WorkflowStateMachine',
    `states:StopExecution ${executions}/*`,
    `states:StopExecution ${executions}:*`,
    'xray:GetSamplingRules *',
    'xray:GetSamplingTargets *',
    'xray:PutTelemetryRecords *',
    'xray:PutTraceSegments *',
  ]);
});

test('the schedule may only call its function, and send the night its dead letters', () => {
  expect(permissionsOf(template, 'TriggersNightRole')).toEqual([
    'lambda:InvokeFunction FunctionsAudit.Arn',
    'lambda:InvokeFunction FunctionsAudit.Arn:*',
    'sqs:SendMessage TriggersNightDeadLetters.Arn',
  ]);
});

test('no role has managed policies, inline policies, or somebody else to assume it', () => {
  const roles = Object.values(template.findResources('AWS::IAM::Role'));
  expect(roles).toHaveLength(9);
  for (const { Properties } of roles) {
    expect(Properties).not.toHaveProperty('ManagedPolicyArns');
    expect(Properties).not.toHaveProperty('Policies');
    const [statement, ...more] = Properties.AssumeRolePolicyDocument.Statement;
    expect(more).toEqual([]);
    expect(statement.Principal.Service).toMatch(/^(lambda|states|events|scheduler)\.amazonaws\.com$/);
  }
});

test('patterns of keys are read as IAM reads them', () => {
  const permissions = ['s3:PutObject StorageData.Arn/runs/*/rounds/*'];
  expect(allowsKey(permissions, 's3:PutObject', 'runs/a/rounds/0/results/0-1.json')).toBe(true);
  expect(allowsKey(permissions, 's3:PutObject', 'runs/a/run.json')).toBe(false);
  expect(allowsKey(permissions, 's3:PutObject', 'other/runs/a/rounds/0')).toBe(false);
  expect(allowsKey(permissions, 's3:GetObject', 'runs/a/rounds/0/plan.jsonl')).toBe(false);
  expect(allowsListing([list('models/* | runs/*')], 'runs/a/')).toBe(true);
  expect(allowsListing([list('models/* | runs/*')], 'run')).toBe(false);
  expect(allowsListing(permissions, 'runs/a/rounds/')).toBe(false);
});
