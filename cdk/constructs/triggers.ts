import { Duration, Stack, TimeZone } from 'aws-cdk-lib';
import { Match, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { ContextAttribute, Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface TriggersProps {
  readonly bucket: Bucket;
  /** Called with every uploaded model. */
  readonly dispatch: IFunction;
  /** Called every night. */
  readonly audit: IFunction;
}

/** How long and how often a call that AWS refuses is tried again before it becomes a dead letter. */
const patience = { maxEventAge: Duration.hours(2), retryAttempts: 20 };

/** How often a call that fails is made again before it becomes a dead letter; 2 is what Lambda allows. */
const attempts = { maxEventAge: Duration.hours(2), retryAttempts: 2 };

/** What asks for runs by itself: an uploaded model, and the clock. Lambda is called asynchronously by both. */
export class Triggers extends Construct {
  /** Calls that failed for good, by what caused them. */
  readonly deadLetters: { readonly model: Queue; readonly night: Queue };
  /** In which the schedule acts. */
  readonly nightRole: Role;

  constructor(scope: Construct, id: string, { bucket, dispatch, audit }: TriggersProps) {
    super(scope, id);
    this.deadLetters = {
      model: this.deadLetterQueue('ModelDeadLetters'),
      night: this.deadLetterQueue('NightDeadLetters'),
    };
    dispatch.configureAsyncInvoke({ ...attempts, onFailure: new SqsDestination(this.deadLetters.model) });
    audit.configureAsyncInvoke({ ...attempts, onFailure: new SqsDestination(this.deadLetters.night) });
    new Rule(this, 'Model', {
      description: 'An uploaded model is verified by the policies that apply to it',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket.bucketName] }, object: { key: Match.wildcard('models/*.onnx') } },
      },
      targets: [new LambdaFunction(dispatch, { ...patience, deadLetterQueue: this.deadLetters.model })],
    });
    this.nightRole = new Role(this, 'NightRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'What the nightly schedule of Baverly may do',
    });
    new Schedule(this, 'Night', {
      description: 'The nightly audit of all models',
      schedule: ScheduleExpression.cron({ minute: '0', hour: '2', timeZone: TimeZone.ETC_UTC }),
      target: new LambdaInvoke(audit, {
        role: this.nightRole,
        ...patience,
        deadLetterQueue: this.deadLetters.night,
        input: ScheduleTargetInput.fromObject({ scheduled: ContextAttribute.scheduledTime }),
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
