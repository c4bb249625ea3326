import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterOrPolicy, SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { eventSource, notifiedTypes } from '../../lib/policy/events';

export interface NotificationsProps {
  /** The functions that publish events. */
  readonly publishers: readonly LambdaFunction[];
  /** Who gets all of it: also what is about no policy, such as a model that no policy is about. */
  readonly operator?: string;
  /** Addresses that `notify` of a policy may name. */
  readonly emails: readonly string[];
}

/**
 * What runs of policies have to tell: an event bus that anything may subscribe to, and a topic that gets failures and crossed
 * thresholds. An address gets the messages of the policies that name it, by a filter on the message.
 */
export class Notifications extends Construct {
  readonly bus: EventBus;
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { publishers, operator, emails }: NotificationsProps) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { description: 'What happened to runs of policies of Baverly' });
    for (const publisher of publishers) {
      publisher.addEnvironment('BAVERLY_EVENT_BUS', this.bus.eventBusArn);
      this.bus.grantPutEventsTo(publisher);
    }
    this.topic = this.notificationTopic();
    if (operator !== undefined) this.topic.addSubscription(new EmailSubscription(operator));
    for (const email of emails) {
      if (email === operator) continue;
      const named = SubscriptionFilter.stringFilter({ allowlist: [email] });
      const filterPolicyWithMessageBody = { notify: FilterOrPolicy.filter(named) };
      this.topic.addSubscription(new EmailSubscription(email, { filterPolicyWithMessageBody }));
    }
    new Rule(this, 'Notified', {
      description: 'Failures and crossed thresholds are told to people',
      eventBus: this.bus,
      eventPattern: { source: [eventSource], detailType: [...notifiedTypes] },
      targets: [new SnsTopic(this.topic, { message: RuleTargetInput.fromEventPath(EventField.fromPath('$.detail')) })],
    });
  }

  /** With a key of our own, because EventBridge may not use the one that AWS manages for SNS. */
  private notificationTopic(): Topic {
    const key = new Key(this, 'Key', {
      description: 'Notifications of Baverly',
      enableKeyRotation: true,
      // It protects messages in transit only, and would be paid for after the stack is gone.
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(7),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Notifications',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
      }),
    );
    return new Topic(this, 'Topic', { displayName: 'Baverly', masterKey: key, enforceSSL: true });
  }
}
