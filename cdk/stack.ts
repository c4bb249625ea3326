import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './constructs/alarms';
import { Functions } from './constructs/functions';
import { DataStorage } from './constructs/storage';
import { Triggers } from './constructs/triggers';
import { Workflow } from './constructs/workflow';
import type { Settings } from './settings';

export interface BaverlyStackProps extends StackProps {
  readonly settings: Settings;
}

/** Everything that runs on AWS: a bucket, four functions, the workflow over them, what starts it, and who hears of failures. */
export class BaverlyStack extends Stack {
  readonly storage: DataStorage;
  readonly functions: Functions;
  readonly workflow: Workflow;
  readonly triggers: Triggers;
  readonly alarms: Alarms;

  constructor(scope: Construct, id: string, { settings, ...props }: BaverlyStackProps) {
    super(scope, id, {
      description: 'Baverly: verifies the robustness of neural networks over whole data sets',
      ...props,
    });
    this.storage = new DataStorage(this, 'Storage');
    const { bucket } = this.storage;
    this.functions = new Functions(this, 'Functions', { bucket, onnxPlatform: settings.onnxPlatform });
    this.workflow = new Workflow(this, 'Workflow', { bucket, functions: this.functions });
    const { stateMachine } = this.workflow;
    this.triggers = new Triggers(this, 'Triggers', { bucket, stateMachine });
    this.alarms = new Alarms(this, 'Alarms', {
      stateMachine,
      deadLetters: this.triggers.deadLetters,
      ...(settings.alarmEmail === undefined ? {} : { email: settings.alarmEmail }),
    });

    new CfnOutput(this, 'BucketName', {
      value: bucket.bucketName,
      description: 'Models, data sets, policies and runs',
    });
    new CfnOutput(this, 'StateMachineArn', { value: stateMachine.stateMachineArn, description: 'The workflow' });
    new CfnOutput(this, 'AlarmTopicArn', { value: this.alarms.topic.topicArn, description: 'Where alarms are sent' });
    Tags.of(this).add('application', 'baverly');
  }
}
