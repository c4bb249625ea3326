import type { Template } from 'aws-cdk-lib/assertions';
import { nameOf } from './permissions';
import { prepare, synthesise } from './synthesis';

const reserved = (template: Template): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(template.findResources('AWS::Lambda::Function'))
      .filter(([, { Properties }]) => Properties.ReservedConcurrentExecutions !== undefined)
      .map(([id, { Properties }]) => [nameOf(id), Properties.ReservedConcurrentExecutions]),
  );

test('a hard cap on functions at the same time is reserved for those that verify, where one is given', () => {
  expect(reserved(synthesise())).toEqual({});
  expect(reserved(synthesise({ verifyConcurrency: '200' }))).toEqual({ FunctionsVerify: 200, FunctionsRefine: 200 });
  expect(() => prepare({ verifyConcurrency: '0' })).toThrow('verifyConcurrency is "0": give at least 1');
});

test('one dashboard shows runs, every function and both queues of dead letters', () => {
  const template = synthesise();
  const [{ Properties }] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  const body = JSON.stringify(Properties.DashboardBody);
  const functions = Object.keys(template.findResources('AWS::Lambda::Function'));
  const queues = Object.keys(template.findResources('AWS::SQS::Queue'));
  expect([...functions, ...queues].filter((id) => !body.includes(id))).toEqual([]);
  expect(functions.length + queues.length).toBe(9);
  for (const metric of ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted', 'Throttles', 'Errors'])
    expect(body).toContain(metric);
});

test('no statement of any policy has a wildcard for its resource but those that AWS offers no resource for', () => {
  const actions = Object.values(synthesise().findResources('AWS::IAM::Policy'))
    .flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[],
    )
    .filter(({ Resource }) => [Resource].flat().includes('*'))
    .flatMap(({ Action }) => Action);
  expect(actions.filter((action) => !/^(logs:\w*(Log|Resource)\w*|xray:(Put|Get)\w+)$/.test(action))).toEqual([]);
  expect(actions).toContain('xray:PutTraceSegments');
});

test('both buckets refuse connections below TLS 1.2', () => {
  const policies = Object.values(synthesise().findResources('AWS::S3::BucketPolicy'));
  const refusing = policies.filter(({ Properties }) =>
    (Properties.PolicyDocument.Statement as { Effect: string; Condition?: object }[]).some(
      ({ Effect, Condition }) =>
        Effect === 'Deny' && JSON.stringify(Condition) === '{"NumericLessThan":{"s3:TlsVersion":1.2}}',
    ),
  );
  expect([policies.length, refusing.length]).toEqual([2, 2]);
});
