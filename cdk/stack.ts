import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './constructs/alarms';
import { Overview } from './constructs/dashboard';
import { Functions } from './constructs/functions';
import { Notifications } from './constructs/notifications';
import { DataStorage } from './constructs/storage';
import { Triggers } from './constructs/triggers';
import { Workflow } from './constructs/workflow';
import type { Settings } from './settings';

export interface BaverlyStackProps extends StackProps {
  readonly settings: Settings;
}

/** Everything that runs on AWS: a bucket, the functions, the workflow over them, what starts it, and who hears of what. */
export class BaverlyStack extends Stack {
  readonly storage: DataStorage;
  readonly functions: Functions;
  readonly workflow: Workflow;
  readonly triggers: Triggers;
  readonly notifications: Notifications;
  readonly alarms: Alarms;
  readonly overview: Overview;

  constructor(scope: Construct, id: string, { settings, ...props }: BaverlyStackProps) {
    super(scope, id, {
      description: 'Baverly: verifies the robustness of neural networks over whole data sets',
      ...props,
    });
    this.storage = new DataStorage(this, 'Storage');
    const { bucket } = this.storage;
    this.functions = new Functions(this, 'Functions', {
      bucket,
      onnxPlatform: settings.onnxPlatform,
      ...(settings.verifyConcurrency === undefined ? {} : { verifyConcurrency: settings.verifyConcurrency }),
    });
    this.workflow = new Workflow(this, 'Workflow', { bucket, functions: this.functions });
    const { stateMachine } = this.workflow;
    const { dispatch, audit, report } = this.functions.byName;
    for (const starter of [dispatch, audit]) {
      starter.addEnvironment('BAVERLY_STATE_MACHINE', stateMachine.stateMachineArn);
      stateMachine.grantStartExecution(starter);
    }
    this.triggers = new Triggers(this, 'Triggers', { bucket, dispatch, audit });
    this.notifications = new Notifications(this, 'Notifications', {
      publishers: [report, dispatch, audit],
      emails: settings.notifyEmails,
      ...(settings.alarmEmail === undefined ? {} : { operator: settings.alarmEmail }),
    });
    this.alarms = new Alarms(this, 'Alarms', {
      stateMachine,
      deadLetters: this.triggers.deadLetters,
      limits: settings,
      ...(settings.alarmEmail === undefined ? {} : { email: settings.alarmEmail }),
    });

    this.overview = new Overview(this, 'Overview', {
      stateMachine,
      functions: this.functions.byName,
      deadLetters: this.triggers.deadLetters,
    });

    new CfnOutput(this, 'BucketName', {
      value: bucket.bucketName,
      description: 'Models, data sets, policies and runs',
    });
    new CfnOutput(this, 'StateMachineArn', { value: stateMachine.stateMachineArn, description: 'The workflow' });
    new CfnOutput(this, 'AlarmTopicArn', { value: this.alarms.topic.topicArn, description: 'Where alarms are sent' });
    new CfnOutput(this, 'EventBusName', {
      value: this.notifications.bus.eventBusName,
      description: 'What happened to runs of policies',
    });
    new CfnOutput(this, 'NotificationTopicArn', {
      value: this.notifications.topic.topicArn,
      description: 'Failures and crossed thresholds',
    });
    Tags.of(this).add('application', 'baverly');
  }
}
