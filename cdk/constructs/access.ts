import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';

export type FunctionName = 'plan' | 'verify' | 'refine' | 'coordinate' | 'report' | 'dispatch' | 'audit';

/** Patterns of keys; `*` stands for any characters, `/` included, as in IAM. */
export interface KeyAccess {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** What asks for runs: which models and policies there are, and whether a run was asked for, or has ended, already. */
const asking: KeyAccess = {
  read: ['models/*', 'policies/*', 'dispatches/*', 'runs/*/request.json', 'runs/*/report.json', 'runs/*/failure.json'],
  write: ['runs/*/request.json', 'dispatches/*'],
};

/** What verifies a mini-batch. */
const verifying: KeyAccess = {
  read: ['models/*', 'datasets/*', 'runs/*', 'lemmas/*'],
  write: ['runs/*/rounds/*', 'lemmas/*'],
};

/** Which keys of the bucket each function may read and write (docs/pipeline.md says what lies there). None may delete. */
export const keyAccess: Readonly<Record<FunctionName, KeyAccess>> = {
  plan: { read: ['models/*', 'datasets/*', 'learned/*', 'runs/*', 'verdicts/*'], write: ['runs/*'] },
  verify: verifying,
  refine: verifying,
  coordinate: { read: ['runs/*'], write: ['runs/*', 'learned/*'] },
  report: { read: ['runs/*', 'datasets/*', 'history/*'], write: ['runs/*', 'history/*', 'verdicts/*'] },
  dispatch: asking,
  audit: asking,
};

/**
 * Lets a role get, list and put exactly the given keys.
 *
 * S3 answers a get of an absent key with 404 only to those who may list, and with 403 to others. A get carries no
 * `s3:prefix`, hence `IfExists`: a plain condition on the prefix would turn "nothing was learned yet" into "access denied".
 */
export function grantKeys(bucket: Bucket, grantee: IGrantable, { read, write }: KeyAccess): void {
  const objects = (patterns: readonly string[]) => patterns.map((pattern) => bucket.arnForObjects(pattern));
  const statements = [
    new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: objects(read) }),
    new PolicyStatement({ sid: 'Write', actions: ['s3:PutObject'], resources: objects(write) }),
    new PolicyStatement({
      sid: 'List',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLikeIfExists: { 's3:prefix': [...read] } },
    }),
  ];
  for (const statement of statements) grantee.grantPrincipal.addToPrincipalPolicy(statement);
}
