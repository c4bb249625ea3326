import { type App, type CfnElement, type Resource, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import type { BaverlyStack } from './stack';

/** A finding of the AWS Solutions rules that stays, and why. */
export interface Acknowledgement {
  readonly rule: string;
  readonly on: readonly IConstruct[];
  readonly reason: string;
}

/** Has cdk-nag check every template of the app; synthesis fails on a finding that is not acknowledged below. */
export function checkStack(app: App, stack: BaverlyStack): void {
  for (const { rule, on, reason } of acknowledgements(stack)) {
    for (const construct of on) Validations.of(construct).acknowledge({ id: `AwsSolutions::${rule}`, reason });
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}

/** Each finding by itself and where it was found, so that another wildcard, or the same one elsewhere, is found again. */
export function acknowledgements(stack: BaverlyStack): Acknowledgement[] {
  const { plan, verify, refine, coordinate, report, dispatch, audit } = stack.functions.roles;
  const workflow = stack.workflow.role;
  const keys = (pattern: string, on: readonly IConstruct[], reason: string): Acknowledgement => ({
    rule: wildcard(`<${logicalId(stack.storage.bucket)}.Arn>/${pattern}`),
    on,
    reason,
  });
  const executions = (pattern: string, reason: string): Acknowledgement => ({
    rule: wildcard(
      `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<${logicalId(stack.workflow.stateMachine)}.Name>${pattern}`,
    ),
    on: [stack.workflow.childExecutions],
    reason,
  });
  return [
    keys('models/*', [plan, verify, refine, dispatch, audit], 'Models are uploaded at any time under any name.'),
    keys('policies/*', [dispatch, audit], 'Policies are added at any time under any name.'),
    keys(
      'datasets/*',
      [plan, verify, refine, report],
      'Data sets are added at any time, each with a prefix of its own.',
    ),
    keys('learned/*', [plan, coordinate], 'What was learned is kept under the hash of the model.'),
    keys(
      'runs/*',
      [plan, verify, refine, coordinate, report],
      'Every run has a prefix of its own, named when it starts.',
    ),
    keys('lemmas/*', [verify, refine], 'What was proven of deep layers is kept under the hash of the model.'),
    keys('verdicts/*', [plan, report], 'What runs found out is kept under the hash of the model.'),
    keys('history/*', [report], 'Runs of policies are remembered by policy and model, which have any names.'),
    keys('dispatches/*', [dispatch, audit], 'What became of uploads and nights is recorded by what happened.'),
    ...['request', 'report', 'failure'].map((name) =>
      keys(`runs/*/${name}.json`, [dispatch, audit], 'Every run has a prefix of its own, named when it is asked for.'),
    ),
    keys('runs/*/rounds/*', [verify, refine, workflow], 'Runs and their rounds are named while they run.'),
    keys('runs/*/rounds/*/map/*', [workflow], 'Step Functions names the files of a Distributed Map itself.'),
    executions(':*', 'Executions of this state machine are named when they start.'),
    executions('/*', 'Executions for mini-batches are named by Step Functions, below the label of their map.'),
    {
      rule: wildcard(`<${logicalId(stack.functions.byName.audit)}.Arn>:*`),
      on: [stack.triggers.nightRole],
      reason: 'The construct of the schedule permits every version of the one function that it calls.',
    },
    {
      rule: wildcard('*'),
      on: [workflow],
      reason: 'Sending traces to X-Ray and having logs delivered are actions that take no resource.',
    },
    {
      rule: wildcard('*'),
      on: [plan, verify, refine, coordinate, report, dispatch, audit],
      reason: 'Sending traces to X-Ray are actions that take no resource; they are all that this wildcard permits.',
    },
    {
      rule: 'AwsSolutions-SQS3',
      on: [stack.triggers.deadLetters.model, stack.triggers.deadLetters.night],
      reason:
        'These are the dead-letter queues, of an EventBridge rule and of a schedule, which the rule does not look at.',
    },
  ];
}

const wildcard = (resource: string) => `AwsSolutions-IAM5[Resource::${resource}]`;

function logicalId(resource: Resource): string {
  return resource.stack.getLogicalId(resource.node.defaultChild as CfnElement);
}
