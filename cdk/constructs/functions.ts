import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { memoryMb } from '../../lib/cost/deployment';
import { project } from '../project';
import type { Settings } from '../settings';
import { type FunctionName, grantKeys, keyAccess } from './access';
import { onnxBundling, plainBundling } from './bundling';

interface Size {
  /** MB; Lambda gives one processor per 1,769 MB. */
  readonly memory: number;
  readonly minutes: number;
  /** Whether it runs networks. */
  readonly onnx: boolean;
}

/**
 * `verify` has one processor because a mini-batch is computed by one thread; parallel work is many functions. `refine` is the same
 * with more memory, for balls whose search may take long and grow large. `plan`
 * holds a whole data set and the activation patterns of all its inputs; 3,008 MB is what a new AWS account may use.
 */
// What they cost is computed from the same figures: lib/cost.
const sizes: Readonly<Record<FunctionName, Size>> = {
  plan: { memory: memoryMb.plan, minutes: 15, onnx: true },
  verify: { memory: memoryMb.verify, minutes: 15, onnx: true },
  refine: { memory: memoryMb.refine, minutes: 15, onnx: true },
  coordinate: { memory: memoryMb.coordinate, minutes: 15, onnx: false },
  report: { memory: memoryMb.report, minutes: 15, onnx: false },
  dispatch: { memory: 1769, minutes: 15, onnx: false },
  audit: { memory: 1769, minutes: 15, onnx: false },
};

export interface FunctionsProps {
  readonly bucket: Bucket;
  readonly onnxPlatform: Settings['onnxPlatform'];
  readonly verifyConcurrency?: number;
}

/** The functions of functions/, each with a role and a log of its own. */
export class Functions extends Construct {
  readonly roles: Readonly<Record<FunctionName, Role>>;
  readonly byName: Readonly<Record<FunctionName, NodejsFunction>>;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.roles = byName((name) => this.role(name, props.bucket));
    this.byName = byName((name) => this.function(name, props));
  }

  private role(name: FunctionName, bucket: Bucket): Role {
    const role = new Role(this, `${title(name)}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What the function ${name} of Baverly may do`,
    });
    grantKeys(bucket, role, keyAccess[name]);
    return role;
  }

  private function(name: FunctionName, { bucket, onnxPlatform, verifyConcurrency }: FunctionsProps): NodejsFunction {
    const { memory, minutes, onnx } = sizes[name];
    const role = this.roles[name];
    const logGroup = new LogGroup(this, `${title(name)}Logs`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logGroup.grantWrite(role);
    return new NodejsFunction(this, title(name), {
      description: `Baverly: ${name}`,
      entry: project.entry(name),
      projectRoot: project.root,
      depsLockFilePath: project.lockFile,
      bundling: onnx ? onnxBundling(onnxPlatform) : plainBundling,
      runtime: Runtime.NODEJS_24_X,
      architecture: onnxPlatform.endsWith('arm64') ? Architecture.ARM_64 : Architecture.X86_64,
      memorySize: memory,
      ...((name === 'verify' || name === 'refine') && verifyConcurrency !== undefined
        ? { reservedConcurrentExecutions: verifyConcurrency }
        : {}),
      timeout: Duration.minutes(minutes),
      tracing: Tracing.ACTIVE,
      environment: {
        BAVERLY_BUCKET: bucket.bucketName,
        // Of those that bound a small nursery, which is swept often: so heaps are marked less because of what ONNX Runtime returns. What workers on one machine have (lib/workflow/pool/process.ts)
        // may not be said here.
        NODE_OPTIONS: `--enable-source-maps${onnx ? ' --max-semi-space-size=2' : ''}`,
        // What metrics and traces of this stack are told from those of others by.
        POWERTOOLS_SERVICE_NAME: Stack.of(this).stackName,
      },
      role,
      logGroup,
    });
  }
}

const title = (name: string) => name[0]!.toUpperCase() + name.slice(1);

function byName<Value>(make: (name: FunctionName) => Value): Record<FunctionName, Value> {
  return {
    plan: make('plan'),
    verify: make('verify'),
    refine: make('refine'),
    coordinate: make('coordinate'),
    report: make('report'),
    dispatch: make('dispatch'),
    audit: make('audit'),
  };
}
