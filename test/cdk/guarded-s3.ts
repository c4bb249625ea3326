import { S3Client } from '@aws-sdk/client-s3';
import type { Template } from 'aws-cdk-lib/assertions';
import type { S3Request } from '../../lib/serve/s3/request';
import { s3Storage } from '../../lib/storage/s3';
import type { Storage } from '../../lib/storage/storage';
import { startS3 } from '../fixtures/s3/server';
import { allowsKey, allowsListing, permissionsOf } from './permissions';

/** The roles of the stack that touch the bucket, by who acts in them. */
const roles = {
  plan: 'FunctionsPlanRole',
  verify: 'FunctionsVerifyRole',
  refine: 'FunctionsRefineRole',
  coordinate: 'FunctionsCoordinateRole',
  report: 'FunctionsReportRole',
  dispatch: 'FunctionsDispatchRole',
  audit: 'FunctionsAuditRole',
  workflow: 'WorkflowRole',
} as const;
export type Actor = keyof typeof roles;

export interface GuardedS3 {
  readonly bucket: string;
  /** The variables of the environment by which the AWS SDK acts as somebody. */
  environment(actor: Actor): Record<string, string>;
  /** The bucket as somebody may use it; the user may do everything. */
  storage(actor: Actor | 'user'): Storage;
  /** What was asked for and not allowed, `actor: METHOD key` each. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

const bucket = 'baverly-test';
const region = 'us-east-1';
const secretAccessKey = 'secret';

/** S3 on this machine that gives every role of the template exactly what its policies allow, and 403 for all else. */
export async function startGuardedS3(template: Template): Promise<GuardedS3> {
  const permissions = new Map(
    Object.entries(roles).map(([actor, role]) => [actor, permissionsOf(template, role)] as const),
  );
  const refused: string[] = [];
  const s3 = await startS3({
    buckets: [bucket],
    credentials: Object.fromEntries(['user', ...permissions.keys()].map((actor) => [actor, secretAccessKey])),
    faults: (request) => {
      const actor = actorOf(request);
      if (actor === 'user' || allows(permissions.get(actor)!, request)) return undefined;
      refused.push(`${actor}: ${request.method} ${request.key || `?${request.query}`}`);
      return { kind: 'error', status: 403, code: 'AccessDenied' };
    },
  });
  return {
    bucket,
    refused,
    environment: (actor) => ({
      AWS_ACCESS_KEY_ID: actor,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
    }),
    storage: (accessKeyId) => {
      const credentials = { accessKeyId, secretAccessKey };
      return s3Storage({ bucket, client: new S3Client({ endpoint: s3.endpoint, region, credentials }) });
    },
    close: () => s3.close(),
  };
}

/** The access key of an actor is its name. */
const actorOf = ({ headers }: S3Request) => /Credential=([^/]+)/.exec(headers.authorization!)![1]!;

function allows(permissions: readonly string[], { method, key, query }: S3Request): boolean {
  if (key === '') return method === 'GET' && allowsListing(permissions, query.get('prefix') ?? '');
  if (method === 'PUT') return allowsKey(permissions, 's3:PutObject', key);
  return (method === 'GET' || method === 'HEAD') && allowsKey(permissions, 's3:GetObject', key);
}
