import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { project } from '../project';
import type { Functions } from './functions';

export interface WorkflowProps {
  readonly bucket: Bucket;
  readonly functions: Functions;
}

/** The state machine of statemachine/verification.asl.json, the role that it runs in, and its log. */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly role: Role;
  /** In a policy apart from the role's own, which the state machine waits for: together they would wait for each other. */
  readonly childExecutions: Policy;

  constructor(scope: Construct, id: string, { bucket, functions }: WorkflowProps) {
    super(scope, id);
    const { plan, verify, refine, coordinate, report } = functions.byName;
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'What the workflow of Baverly may do',
    });
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'Invoke',
        actions: ['lambda:InvokeFunction'],
        resources: [plan, verify, refine, coordinate, report].map((each) => each.functionArn),
      }),
    );
    this.grantRounds(bucket);
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      comment: 'Baverly: plan, verify in rounds, report',
      definitionBody: DefinitionBody.fromFile(project.definition),
      definitionSubstitutions: {
        PlanFunctionArn: plan.functionArn,
        VerifyFunctionArn: verify.functionArn,
        RefineFunctionArn: refine.functionArn,
        CoordinateFunctionArn: coordinate.functionArn,
        ReportFunctionArn: report.functionArn,
        BucketName: bucket.bucketName,
      },
      stateMachineType: StateMachineType.STANDARD,
      role: this.role,
      tracingEnabled: true,
      logs: { destination: this.logGroup(), level: LogLevel.ALL, includeExecutionData: false },
    });
    this.childExecutions = this.grantChildExecutions();
  }

  /**
   * All events are logged but not their data: a round of 5,000 mini-batches logs some 15 MB, while the data, which S3
   * holds anyway, would multiply that. The name starts as AWS asks for logs that it delivers itself; others share one
   * resource policy with a limit on its length.
   */
  private logGroup(): LogGroup {
    return new LogGroup(this, 'Logs', {
      logGroupName: `/aws/vendedlogs/states/${Stack.of(this).stackName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** A Distributed Map reads the plan of a round and writes what became of every mini-batch, in parts (multipart). */
  private grantRounds(bucket: Bucket): void {
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'ReadRounds',
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects('runs/*/rounds/*')],
      }),
    );
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'WriteMapResults',
        actions: ['s3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
        resources: [bucket.arnForObjects('runs/*/rounds/*/map/*')],
      }),
    );
  }

  /** A Distributed Map starts its mini-batches as executions of the state machine itself, whose ARN ends in its label. */
  private grantChildExecutions(): Policy {
    const execution = (pattern: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${this.stateMachine.stateMachineName}${pattern}`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    return new Policy(this, 'ChildExecutions', {
      roles: [this.role],
      statements: [
        new PolicyStatement({
          sid: 'Start',
          actions: ['states:StartExecution'],
          resources: [this.stateMachine.stateMachineArn],
        }),
        new PolicyStatement({
          sid: 'Follow',
          actions: ['states:DescribeExecution', 'states:StopExecution'],
          resources: [execution(':*'), execution('/*')],
        }),
        new PolicyStatement({
          sid: 'Redrive',
          actions: ['states:RedriveExecution'],
          resources: [execution('/*')],
        }),
      ],
    });
  }
}
