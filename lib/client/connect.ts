import { isIPv4 } from 'node:net';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { BadInputError } from '../errors';
import { localCredentials, localRegion } from '../serve/credentials';
import { s3Storage } from '../storage/s3';
import type { Storage } from '../storage/storage';
import { type RemoteExecutions, remoteExecutions } from './executions';
import { explained, type Target } from './problems';

/** Where a deployment is. What is left out is looked up: bucket and state machine among the stack's outputs. */
export interface TargetOptions {
  readonly stack: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly stateMachine?: string;
}

/** A deployment: the stack on AWS, or `npx baverly serve`. */
export interface Deployment {
  readonly bucket: string;
  readonly storage: Storage;
  readonly executions: RemoteExecutions;
}

/**
 * Does the work with a deployment, and closes the connections. A server on this machine is signed for with the local
 * credentials, whatever the environment holds: keys of AWS are not for it.
 *
 * @throws BadInputError for missing credentials, region, stack, bucket, state machine; RemoteError where AWS fails
 */
export async function withDeployment<T>(
  options: TargetOptions,
  work: (deployment: Deployment) => Promise<T>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const endpoint = options.endpoint ?? (env.AWS_ENDPOINT_URL || undefined);
  const { stack, bucket, stateMachine } = options;
  const target: Target = { stack, endpoint, bucket, stateMachine };
  const settings = settingsOf(options.region, endpoint);
  const s3 = new S3Client({ ...settings, ...(endpoint !== undefined && { forcePathStyle: true }) });
  const sfn = new SFNClient(settings);
  try {
    const found = bucket && stateMachine ? { bucket, stateMachine } : await outputsOf(stack, settings);
    const place = { ...found, ...(bucket && { bucket }), ...(stateMachine && { stateMachine }) };
    return await work({
      bucket: place.bucket,
      storage: s3Storage({ bucket: place.bucket, client: s3 }),
      executions: remoteExecutions(sfn, place.stateMachine),
    });
  } catch (error) {
    throw explained(error, target);
  } finally {
    s3.destroy();
    sfn.destroy();
  }
}

/** Attempts of one request; the waits between them double. */
const maxAttempts = 4;

function settingsOf(region: string | undefined, endpoint: string | undefined) {
  const local = endpoint !== undefined && isLoopback(endpoint);
  return {
    maxAttempts,
    requestHandler: { connectionTimeout: 5_000 },
    ...(endpoint !== undefined && { endpoint }),
    ...(local && { credentials: localCredentials, region: localRegion }),
    ...(region !== undefined && { region }),
  };
}

/** @throws BadInputError for what is no URL of HTTP */
function isLoopback(endpoint: string): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new BadInputError(`endpoint ${endpoint}`, ['is not an http or https URL; e.g. http://127.0.0.1:4750']);
  }
  return ['localhost', '[::1]'].includes(url.hostname) || (isIPv4(url.hostname) && url.hostname.startsWith('127.'));
}

async function outputsOf(
  stack: string,
  settings: ReturnType<typeof settingsOf>,
): Promise<{ readonly bucket: string; readonly stateMachine: string }> {
  const client = new CloudFormationClient(settings);
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack })).catch((error) => {
      throw isMissing(error) ? noStack(stack) : error;
    });
    const outputs = new Map((Stacks[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
    const [bucket, stateMachine] = [outputs.get('BucketName'), outputs.get('StateMachineArn')];
    if (bucket && stateMachine) return { bucket, stateMachine };
    const missing = Object.entries({ BucketName: bucket, StateMachineArn: stateMachine }).filter(([, value]) => !value);
    throw new BadInputError(`stack ${stack}`, [
      `has no output ${missing.map(([name]) => name).join(' and ')}: it is not a deployment of Baverly (yet); give another --stack`,
    ]);
  } finally {
    client.destroy();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message);
}

function noStack(stack: string): BadInputError {
  return new BadInputError(`stack ${stack}`, [
    'there is none of this name in this account and region: deploy it (docs/deploy.md), give another --stack or --region, or ' +
      '--bucket and --state-machine',
  ]);
}
