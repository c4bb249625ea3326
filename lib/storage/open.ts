import { fileURLToPath } from 'node:url';
import { BadInputError } from '../errors';
import { fileStorage } from './files';
import type { S3StorageOptions } from './s3';
import type { Storage } from './storage';

/**
 * The storage at a location: `s3://bucket`, or a folder (path or `file:` URL). Touches neither.
 *
 * @throws BadInputError for anything else
 */
export function openStorage(location: string): Storage {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1].toLowerCase();
  if (scheme === 's3') return openBucket(location, bucketOf(location));
  if (scheme === 'file') return fileStorage(fileURLToPath(location));
  if (scheme) throw refused(location, `${scheme}:// is not supported; give s3://bucket or a folder`);
  if (location === '') throw refused('(empty)', 'no location; give s3://bucket or a folder');
  return fileStorage(location);
}

/**
 * The storage that the environment names: BAVERLY_BUCKET (a bucket's name; the AWS variables apply, AWS_ENDPOINT_URL_S3
 * among them) or BAVERLY_ROOT (a folder).
 *
 * @param through what the requests to a bucket go through
 * @throws BadInputError when neither or both are set
 */
export function storageFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
  through?: S3StorageOptions['through'],
): Storage {
  const bucket = env.BAVERLY_BUCKET || undefined;
  const root = env.BAVERLY_ROOT || undefined;
  const advice = 'set BAVERLY_BUCKET to the name of an S3 bucket or BAVERLY_ROOT to a folder';
  if (bucket !== undefined && root !== undefined) {
    throw new BadInputError('environment', [
      `BAVERLY_BUCKET (${bucket}) and BAVERLY_ROOT (${root}) are both set; ${advice}`,
    ]);
  }
  if (bucket !== undefined) return openBucket(`BAVERLY_BUCKET=${bucket}`, bucket, through);
  if (root !== undefined) return fileStorage(root);
  throw new BadInputError('environment', [`no storage is named; ${advice}`]);
}

function bucketOf(location: string): string {
  const [bucket, ...rest] = location.slice('s3://'.length).replace(/\/$/, '').split('/');
  if (rest.length === 0) return bucket;
  throw refused(
    location,
    `a storage is a whole bucket, so ${rest.join('/')} cannot be part of it; give s3://${bucket}`,
  );
}

/** @param location what the bucket was given as, for messages */
function openBucket(location: string, bucket: string, through?: S3StorageOptions['through']): Storage {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw refused(location, 'not the name of a bucket, which has 3 to 63 lower case letters, digits, dots and hyphens');
  }
  // Loaded when it is needed: the AWS SDK takes longer to load than the rest of a local run's start.
  const { s3Storage } = require('./s3') as typeof import('./s3');
  return s3Storage({ bucket, ...(through && { through }) });
}

function refused(location: string, problem: string): BadInputError {
  return new BadInputError(`storage ${location}`, [problem]);
}
