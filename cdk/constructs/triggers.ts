import { Duration, TimeZone } from 'aws-cdk-lib';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { ContextAttribute, Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface TriggersProps {
  readonly bucket: Bucket;
  readonly stateMachine: IStateMachine;
}

/** How long and how often a start that AWS refuses is tried again before it becomes a dead letter. */
const patience = { maxEventAge: Duration.hours(2), retryAttempts: 20 };

/** What starts the workflow by itself: an uploaded model, and the clock. */
export class Triggers extends Construct {
  /** Starts that failed for good, by what caused them. */
  readonly deadLetters: { readonly model: Queue; readonly night: Queue };

  constructor(scope: Construct, id: string, { bucket, stateMachine }: TriggersProps) {
    super(scope, id);
    this.deadLetters = {
      model: this.deadLetterQueue('ModelDeadLetters'),
      night: this.deadLetterQueue('NightDeadLetters'),
    };
    new Rule(this, 'Model', {
      description: 'An uploaded model is verified by the policies that apply to it',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: Match.wildcard('models/*.onnx') } },
      },
      targets: [new SfnStateMachine(stateMachine, { ...patience, deadLetterQueue: this.deadLetters.model })],
    });
    new Schedule(this, 'Night', {
      description: 'The nightly audit of all models',
      schedule: ScheduleExpression.cron({ minute: '0', hour: '2', timeZone: TimeZone.ETC_UTC }),
      target: new StepFunctionsStartExecution(stateMachine, {
        ...patience,
        deadLetterQueue: this.deadLetters.night,
        input: ScheduleTargetInput.fromObject({
          kind: 'audit',
          bucket: bucket.bucketName,
          scheduled: ContextAttribute.scheduledTime,
        }),
      }),
    });
  }

  private deadLetterQueue(id: string): Queue {
    return new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
  }
}
