import { Match, Template } from 'aws-cdk-lib/assertions';
import { nameOf } from './permissions';
import { prepare, synthesise } from './synthesis';

let template: Template;
beforeAll(() => {
  template = synthesise();
});

/** Properties of the one resource of a type with this name. */
function properties(type: string, name: string) {
  const [id] = Object.keys(template.findResources(type)).filter((id) => nameOf(id) === name);
  return template.findResources(type)[id!]!.Properties;
}

const reference = (name: string) => ({ Ref: Match.stringLikeRegexp(`^${name}[0-9A-F]{8}$`) });
const arn = (name: string) => ({ 'Fn::GetAtt': [Match.stringLikeRegexp(`^${name}[0-9A-F]{8}$`), 'Arn'] });
const onlyOverTls = (action: string) =>
  Match.objectLike({ Effect: 'Deny', Action: action, Condition: { Bool: { 'aws:SecureTransport': 'false' } } });

describe('the data bucket', () => {
  test('is versioned, encrypted, logged, and tells EventBridge of new objects without a custom resource', () => {
    template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LoggingConfiguration: { DestinationBucketName: reference('StorageAccessLogs'), LogFilePrefix: 'data/' },
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    });
    expect(Object.keys(template.findResources('AWS::Lambda::Function')).map(nameOf).sort()).toEqual([
      'FunctionsAudit',
      'FunctionsCoordinate',
      'FunctionsDispatch',
      'FunctionsPlan',
      'FunctionsRefine',
      'FunctionsReport',
      'FunctionsVerify',
    ]);
  });

  test('forgets what was deleted from runs/ after a month, and uploads that were never finished after a day', () => {
    expect(properties('AWS::S3::Bucket', 'StorageData').LifecycleConfiguration.Rules).toEqual([
      {
        Id: 'deleted-runs',
        Prefix: 'runs/',
        NoncurrentVersionExpiration: { NoncurrentDays: 30 },
        Status: 'Enabled',
      },
      {
        Id: 'leftovers',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
        ExpiredObjectDeleteMarker: true,
        Status: 'Enabled',
      },
    ]);
  });

  test('is, like the one of access logs, closed to the public and to connections without TLS, and outlives the stack', () => {
    template.resourceCountIs('AWS::S3::Bucket', 2);
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain' });
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    template.resourceCountIs('AWS::S3::BucketPolicy', 2);
    template.allResourcesProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: { Statement: Match.arrayWith([onlyOverTls('s3:*')]) },
    });
  });
});

describe('the functions', () => {
  test.each([
    ['Plan', 3008],
    ['Verify', 1769],
    ['Refine', 3008],
    ['Coordinate', 1769],
    ['Report', 3008],
    ['Dispatch', 1769],
    ['Audit', 1769],
  ])('%s has %i MB, fifteen minutes, an arm64 processor and a log of its own', (name, memory) => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: `Baverly: ${name.toLowerCase()}`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: memory,
      Timeout: 900,
      TracingConfig: { Mode: 'Active' },
      Role: arn(`Functions${name}Role`),
      LoggingConfig: { LogGroup: reference(`Functions${name}Logs`) },
      Environment: {
        Variables: {
          BAVERLY_BUCKET: reference('StorageData'),
          NODE_OPTIONS: ['Plan', 'Verify', 'Refine'].includes(name)
            ? '--enable-source-maps --max-semi-space-size=2'
            : '--enable-source-maps',
          POWERTOOLS_SERVICE_NAME: 'Baverly',
        },
      },
    });
  });

  test('logs are kept for a month, and go with the stack', () => {
    template.resourceCountIs('AWS::Logs::LogGroup', 8);
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete', Properties: { RetentionInDays: 30 } });
  });
});

describe('the triggers', () => {
  test('a new .onnx object below models/ is dispatched; its dead letters are kept', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: [reference('StorageData')] }, object: { key: [{ wildcard: 'models/*.onnx' }] } },
      },
      Targets: [
        {
          Arn: arn('FunctionsDispatch'),
          Id: 'Target0',
          RetryPolicy: { MaximumEventAgeInSeconds: 7200, MaximumRetryAttempts: 20 },
          DeadLetterConfig: { Arn: arn('TriggersModelDeadLetters') },
        },
      ],
    });
    template.resourceCountIs('AWS::Events::Rule', 2);
  });

  test('an audit starts at two every night, UTC; its dead letters are kept', () => {
    template.hasResourceProperties('AWS::Scheduler::Schedule', {
      State: 'ENABLED',
      ScheduleExpression: 'cron(0 2 * * ? *)',
      ScheduleExpressionTimezone: 'Etc/UTC',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: Match.objectLike({
        Arn: arn('FunctionsAudit'),
        RoleArn: arn('TriggersNightRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 7200, MaximumRetryAttempts: 20 },
        DeadLetterConfig: { Arn: arn('TriggersNightDeadLetters') },
        Input: '{"scheduled":"<aws.scheduler.scheduled-time>"}',
      }),
    });
  });

  test('dead letters are encrypted, kept for two weeks, and sent over TLS only', () => {
    template.resourceCountIs('AWS::SQS::Queue', 2);
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true, MessageRetentionPeriod: 1209600 });
    template.resourceCountIs('AWS::SQS::QueuePolicy', 2);
    template.allResourcesProperties('AWS::SQS::QueuePolicy', {
      PolicyDocument: { Statement: Match.arrayWith([onlyOverTls('sqs:*')]) },
    });
  });
});

test('calls that dispatch or audit fail to answer are made twice more, then kept', () => {
  for (const [name, queue] of [
    ['Dispatch', 'TriggersModelDeadLetters'],
    ['Audit', 'TriggersNightDeadLetters'],
  ]) {
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: reference(`Functions${name}`),
      MaximumRetryAttempts: 2,
      MaximumEventAgeInSeconds: 7200,
      DestinationConfig: { OnFailure: { Destination: arn(queue!) } },
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: `Baverly: ${name!.toLowerCase()}`,
      Environment: {
        Variables: {
          BAVERLY_BUCKET: reference('StorageData'),
          BAVERLY_STATE_MACHINE: reference('WorkflowStateMachine'),
          BAVERLY_EVENT_BUS: arn('NotificationsBus'),
        },
      },
    });
  }
});

describe('the notifications', () => {
  test('failures and crossed thresholds go from the bus to a topic with a key that EventBridge may use', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: reference('NotificationsBus'),
      EventPattern: {
        source: ['baverly'],
        'detail-type': [
          'Run Failed',
          'Threshold Crossed',
          'Verdicts Contradict',
          'Model Not Verified',
          'Policy Refused',
        ],
      },
      Targets: [Match.objectLike({ Arn: reference('NotificationsTopic'), InputPath: '$.detail' })],
    });
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: arn('NotificationsKey') });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [reference('NotificationsTopic')],
      PolicyDocument: {
        Statement: Match.arrayWith([
          onlyOverTls('sns:Publish'),
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sns:Publish',
            Resource: reference('NotificationsTopic'),
          }),
        ]),
      },
    });
  });

  test('an address gets what names it; the operator gets all', () => {
    const chosen = synthesise({ alarmEmail: 'ops@example.org', notifyEmails: 'a@example.org, ops@example.org' });
    const subscriptions = Object.values(chosen.findResources('AWS::SNS::Subscription')).map(
      ({ Properties }) => Properties,
    );
    const notified = subscriptions.filter(({ TopicArn }) => TopicArn.Ref.startsWith('NotificationsTopic'));
    expect(notified).toHaveLength(2);
    expect(notified).toContainEqual(
      expect.objectContaining({
        Endpoint: 'a@example.org',
        FilterPolicyScope: 'MessageBody',
        FilterPolicy: { notify: ['a@example.org'] },
      }),
    );
    expect(notified).toContainEqual(expect.not.objectContaining({ FilterPolicy: expect.anything() }));
  });
});

describe('the alarms', () => {
  const dimension = (Name: string, Value: unknown) => [{ Name, Value }];
  const stateMachine = dimension('StateMachineArn', reference('WorkflowStateMachine'));
  const queue = (name: string) =>
    dimension('QueueName', { 'Fn::GetAtt': [Match.stringLikeRegexp(`^${name}`), 'QueueName'] });

  test.each([
    ['AWS/States', 'ExecutionsFailed', 'Sum', stateMachine],
    ['AWS/States', 'ExecutionsTimedOut', 'Sum', stateMachine],
    ['AWS/States', 'ExecutionsAborted', 'Sum', stateMachine],
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', queue('TriggersModelDeadLetters')],
    ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', queue('TriggersNightDeadLetters')],
  ])('one %s %s (%s) is enough', (Namespace, MetricName, Statistic, Dimensions) => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Namespace,
      MetricName,
      Statistic,
      Dimensions,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods: 1,
      Period: 300,
      TreatMissingData: 'notBreaching',
      AlarmActions: [reference('AlarmsTopic')],
    });
    template.resourceCountIs('AWS::CloudWatch::Alarm', 9);
  });

  test('go to a topic that CloudWatch of this account may publish to, encrypted with a key that it may use', () => {
    const cloudWatch = {
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    };
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: arn('AlarmsKey') });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [
          onlyOverTls('sns:Publish'),
          Match.objectLike({ ...cloudWatch, Action: 'sns:Publish', Resource: reference('AlarmsTopic') }),
        ],
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ ...cloudWatch, Action: ['kms:Decrypt', 'kms:GenerateDataKey*'] }),
        ]),
      },
    });
  });

  test('reach nobody by e-mail unless an address is given', () => {
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    synthesise({ alarmEmail: 'ops@example.org' }).hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'ops@example.org',
      TopicArn: reference('AlarmsTopic'),
    });
  });
});

describe('the stack', () => {
  test('outputs what a user needs to know', () => {
    template.hasOutput('BucketName', { Value: reference('StorageData') });
    template.hasOutput('StateMachineArn', { Value: reference('WorkflowStateMachine') });
    template.hasOutput('EventBusName', { Value: reference('NotificationsBus') });
    template.hasOutput('NotificationTopicArn', { Value: reference('NotificationsTopic') });
    template.hasOutput('AlarmTopicArn', { Value: reference('AlarmsTopic') });
  });

  test('tags what it creates', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine']) {
      template.allResourcesProperties(type, { Tags: Match.arrayWith([{ Key: 'application', Value: 'baverly' }]) });
    }
  });

  test('is for any account and region, under a name of one’s choice', () => {
    const { stack, remove } = prepare({ stackName: 'Baverly-trial' });
    expect(stack.stackName).toBe('Baverly-trial');
    expect(stack.environment).toBe('aws://unknown-account/unknown-region');
    const trial = Template.fromStack(stack);
    remove();
    trial.hasResourceProperties('AWS::Logs::LogGroup', { LogGroupName: '/aws/vendedlogs/states/Baverly-trial' });
  });

  test('refuses settings that make no sense, all at once', () => {
    const context = { stackName: '1st', alarmEmail: 'nobody', notifyEmails: 'a@b.org,c', onnxPlatform: 'linux/riscv' };
    expect(() => prepare(context)).toThrow(
      'context of the deployment: ' +
        'stackName is "1st": give a letter, then letters, digits and hyphens, at most 80 in all; ' +
        'alarmEmail is "nobody": give an e-mail address; ' +
        'notifyEmails.1 is "a@b.org,c": give e-mail addresses with commas between; ' +
        'onnxPlatform is "linux/riscv": give linux/arm64 or linux/x64',
    );
  });
});
