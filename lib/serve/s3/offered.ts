import { ServiceError } from '../http/message';
import type { S3Request } from './request';

const operations =
  'PutObject, GetObject, HeadObject, ListObjectsV2, DeleteObject, CopyObject, and uploads in parts (without UploadPartCopy)';

const listing = ['list-type', 'prefix', 'delimiter', 'continuation-token', 'start-after', 'max-keys', 'encoding-type'];

/** What a query may say: SDKs name their operation in `x-id`. */
const known = new Set(['x-id', 'uploads', 'uploadId', 'partNumber', 'fetch-owner', ...listing]);

/** The answer to what this server does not do. */
export function notOffered(what: string): ServiceError {
  return new ServiceError(501, 'NotImplemented', `this server does not offer ${what}; it offers ${operations}`);
}

/** A request as a reader knows it: `DELETE with ?tagging`. */
export function requestText({ method, query }: S3Request): string {
  return query.size === 0 ? method : `${method} with ?${[...query.keys()].join('&')}`;
}

/**
 * Refuses what only looks like an operation that is offered: `PUT key?tagging` is no PutObject, and would replace the object by its
 * tags. ServiceError NotImplemented.
 */
export function refuseOthers(request: S3Request): void {
  const { method, query, headers } = request;
  if ([...query.keys()].some((name) => !known.has(name))) throw notOffered(requestText(request));
  const isPart = query.has('uploadId') || query.has('partNumber');
  if (isPart && headers['x-amz-copy-source'] !== undefined) throw notOffered('UploadPartCopy');
  if (isPart && (method === 'GET' || method === 'HEAD')) throw notOffered(requestText(request));
}
