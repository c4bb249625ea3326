import { type Headers, ServiceError, type ServiceResponse } from '../http/message';
import { decodePath } from '../http/signature';
import { document } from '../http/xml';
import type { VerifiedBody } from './body';
import { type S3Request, s3Namespace } from './request';
import {
  type Buckets,
  type FoundObject,
  type ObjectStore,
  preconditionFailed,
  sameEtag,
  withObject,
  writeConditionOf,
} from './store';

/** What a request says about an object that is kept with it. */
export function keptHeaders(headers: Headers): Headers {
  const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  return { 'content-type': headers['content-type'] ?? 'binary/octet-stream', ...Object.fromEntries(metadata) };
}

export async function putObject(
  store: ObjectStore,
  { key, headers }: S3Request,
  { body, checksums }: VerifiedBody,
): Promise<ServiceResponse> {
  const kept = { ...keptHeaders(headers), ...checksums };
  const { etag } = await store.write(key, body, kept, writeConditionOf(headers));
  return { status: 200, headers: { etag, ...checksums } };
}

export async function copyObject(
  buckets: Pick<Buckets, 'find'>,
  store: ObjectStore,
  { key, headers }: S3Request,
): Promise<ServiceResponse> {
  const [from, ...rest] = decodePath(headers['x-amz-copy-source']).replace(/^\//, '').split('/');
  const source = buckets.find(from);
  if (!source) throw noSuchBucket(from);
  const { etag, modified } = await withObject(source, rest.join('/'), async (original) => {
    return store.write(key, await original.read(0, original.size), original.headers, {});
  });
  const content = { ETag: etag, LastModified: modified.toISOString() };
  return { status: 200, body: document('CopyObjectResult', s3Namespace, content) };
}

export function noSuchBucket(name: string): ServiceError {
  return new ServiceError(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: name });
}

/** GET and HEAD, with conditions and (GET) a range. */
export function readObject(store: ObjectStore, request: S3Request): Promise<ServiceResponse> {
  return withObject(store, request.key, (object) => answerOf(object, request));
}

async function answerOf(object: FoundObject, { method, headers }: S3Request): Promise<ServiceResponse> {
  const about = {
    etag: object.etag,
    'last-modified': object.modified.toUTCString(),
    'accept-ranges': 'bytes',
    ...object.headers,
  };
  if (headers['if-match'] !== undefined && !sameEtag(headers['if-match'], object.etag)) {
    throw preconditionFailed('If-Match');
  }
  if (headers['if-none-match'] !== undefined && sameEtag(headers['if-none-match'], object.etag)) {
    return { status: 304, headers: { etag: object.etag } };
  }
  if (method === 'HEAD') {
    return { status: 200, headers: { ...visible(about, headers), 'content-length': String(object.size) } };
  }
  const range = rangeOf(headers.range, object.size);
  if (!range) return { status: 200, headers: visible(about, headers), body: await object.read(0, object.size) };
  const contentRange = `bytes ${range.start}-${range.end - 1}/${object.size}`;
  return {
    status: 206,
    headers: { ...visible(about, {}), 'content-range': contentRange },
    body: await object.read(range.start, range.end),
  };
}

/** Checksums are told to a reader who asks for them. */
function visible(about: Headers, request: Headers): Headers {
  if (request['x-amz-checksum-mode'] === 'ENABLED') return about;
  return Object.fromEntries(Object.entries(about).filter(([name]) => !name.startsWith('x-amz-checksum-')));
}

/** `bytes=2-5`, `bytes=2-` or `bytes=-3`; anything else is ignored, as HTTP prescribes. */
function rangeOf(header: string | undefined, size: number) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (header === undefined || (!first && !last)) return undefined;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last) + 1, size) : size;
  if (start >= end) {
    const details = { RangeRequested: header, ActualObjectSize: String(size) };
    throw new ServiceError(416, 'InvalidRange', 'The requested range is not satisfiable', details);
  }
  return { start, end };
}
