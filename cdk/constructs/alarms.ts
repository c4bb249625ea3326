import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { metricNames } from '../../lib/observe/names';
import type { Settings } from '../settings';
import { type OwnMetrics, ownMetrics } from './metrics';
import type { Triggers } from './triggers';

export interface AlarmsProps {
  readonly stateMachine: IStateMachine;
  readonly deadLetters: Triggers['deadLetters'];
  readonly limits: Pick<Settings, 'alarmRunUsd' | 'alarmUnknownShare' | 'alarmVelocity'>;
  readonly email?: string;
}

const count = { period: Duration.minutes(5), statistic: Stats.SUM };
const depth = { period: Duration.minutes(5), statistic: Stats.MAXIMUM };
/** CPU-seconds within the hour, of one function at work all the time, below which velocity says nothing. */
const busy = 3600;

interface Limit {
  readonly threshold: number;
  readonly comparisonOperator: ComparisonOperator;
}
const once: Limit = { threshold: 1, comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD };
const above = (threshold: number): Limit => ({
  threshold,
  comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
});
const below = (threshold: number): Limit => ({ threshold, comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD });

/**
 * An alarm for every way in which a run can be lost, or be worthless, without anybody looking, all to one topic. docs/operations.md says by
 * its name what to do about each.
 */
export class Alarms extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { stateMachine, deadLetters, limits, email }: AlarmsProps) {
    super(scope, id);
    this.topic = this.alarmTopic();
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
    this.alarm('Failed', 'A run of the workflow failed', stateMachine.metricFailed(count));
    this.alarm('TimedOut', 'A run of the workflow took too long', stateMachine.metricTimedOut(count));
    this.alarm('Aborted', 'A run of the workflow was stopped', stateMachine.metricAborted(count));
    this.alarm(
      'ModelNotStarted',
      'No run was started for an uploaded model; its event is in the dead letters',
      deadLetters.model.metricApproximateNumberOfMessagesVisible(depth),
    );
    this.alarm(
      'NightNotStarted',
      'A nightly audit was not started; its event is in the dead letters',
      deadLetters.night.metricApproximateNumberOfMessagesVisible(depth),
    );
    this.ownAlarms(ownMetrics(this), limits);
  }

  private ownAlarms(own: OwnMetrics, { alarmRunUsd, alarmUnknownShare, alarmVelocity }: AlarmsProps['limits']): void {
    this.alarm(
      'BallsMissing',
      'A run that did not fail left balls without a verdict',
      own.of(metricNames.ballsMissing, Stats.MAXIMUM),
    );
    this.alarm(
      'UnknownShare',
      `More than ${100 * alarmUnknownShare} % of the balls of a run stayed unknown`,
      own.of(metricNames.unknownShare, Stats.MAXIMUM),
      above(alarmUnknownShare),
    );
    this.alarm(
      'RunCost',
      `A run has cost more than ${alarmRunUsd} US dollars`,
      own.of(metricNames.costSoFar, Stats.MAXIMUM),
      above(alarmRunUsd),
    );
    this.alarm(
      'VelocityCollapsed',
      `Over an hour less than ${alarmVelocity} balls were settled per CPU-second`,
      own.velocity(Duration.hours(1), { cpuSeconds: busy, otherwise: alarmVelocity }),
      below(alarmVelocity),
    );
  }

  private alarm(id: string, alarmDescription: string, metric: IMetric, limit = once): void {
    const alarm = new Alarm(this, id, {
      alarmDescription: `Baverly: ${alarmDescription}`,
      metric,
      ...limit,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
  }

  /**
   * With a key of our own, because CloudWatch may not use the one that AWS manages for SNS. A policy replaces the one that
   * lets the account publish, so it names CloudWatch, for alarms of this account only.
   */
  private alarmTopic(): Topic {
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    const ownAccount = { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } };
    const key = new Key(this, 'Key', {
      description: 'Alarms of Baverly',
      enableKeyRotation: true,
      // It protects messages in transit only, and would be paid for after the stack is gone.
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(7),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [cloudWatch],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: ownAccount,
      }),
    );
    const topic = new Topic(this, 'Topic', { displayName: 'Baverly', masterKey: key, enforceSSL: true });
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: ownAccount,
      }),
    );
    return topic;
  }
}
