import { S3ServiceException } from '@aws-sdk/client-s3';
import { messageOf } from '../errors';

const advice: Readonly<Record<string, string>> = {
  AccessDenied: 'the credentials do not allow it (needed: s3:GetObject, s3:PutObject, and s3:ListBucket on the bucket)',
  CredentialsProviderError:
    'no AWS credentials were found; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  InvalidAccessKeyId: 'the access key does not exist',
  NoSuchBucket: 'there is no such bucket',
  PermanentRedirect: 'the bucket is in another region; set AWS_REGION to it',
  SignatureDoesNotMatch: 'the secret key does not belong to the access key',
};

/** What S3 or the way to it answered, in one line: error code, message, status, attempts, and what to do if that is known. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const parts = [error.message === error.name || !error.message ? error.name : `${error.name}: ${error.message}`];
  if (error instanceof S3ServiceException) {
    const { httpStatusCode: status, attempts = 1 } = error.$metadata;
    parts.push(`(HTTP ${status ?? 'status unknown'}${attempts > 1 ? ` after ${attempts} attempts` : ''})`);
  } else if (error.cause !== undefined) {
    parts.push(`(${messageOf(error.cause)})`);
  }
  const help = advice[error.name] ?? (error.message === 'Region is missing' ? 'set AWS_REGION' : undefined);
  return help ? `${parts.join(' ')}: ${help}` : parts.join(' ');
}
