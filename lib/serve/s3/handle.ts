import type { ServiceError, ServiceRequest, ServiceResponse } from '../http/message';
import { document } from '../http/xml';
import { type VerifiedBody, verifyBody } from './body';
import { listObjects } from './listing';
import { copyObject, noSuchBucket, putObject, readObject } from './objects';
import { notOffered, refuseOthers, requestText } from './offered';
import { type S3Request, s3Request } from './request';
import type { Buckets, ObjectStore } from './store';
import type { Uploads } from './uploads';

/** What happened to a bucket, as EventBridge would say it. */
export interface ObjectCreated {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly reason: 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload';
}

export interface S3Service {
  readonly buckets: Buckets;
  /** Multipart uploads; without them they are answered by NotImplemented. */
  readonly uploads?: Uploads;
  /** Called after an object was written, before that is answered; what it throws is answered as an internal error. */
  readonly onCreated?: (event: ObjectCreated) => void | Promise<void>;
}

/** Answers a request whose signature has been verified. Errors are thrown (ServiceError). */
export async function handleS3(service: S3Service, message: ServiceRequest, raw: Uint8Array): Promise<ServiceResponse> {
  const verified = verifyBody(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), message.headers);
  const request = s3Request(message);
  refuseOthers(request);
  const { method, bucket: name, key, query } = request;
  const { buckets } = service;
  if (method === 'PUT' && key === '') {
    buckets.create(name);
    return { status: 200, headers: { location: `/${name}` } };
  }
  const store = buckets.find(name);
  if (!store) throw noSuchBucket(name);
  if (method === 'HEAD' && key === '') return { status: 200 };
  if (method === 'GET' && key === '' && !query.has('uploads')) return listObjects(store, request);
  if (service.uploads && key !== '' && (query.has('uploads') || query.has('uploadId'))) {
    const answered = await service.uploads.handle(store, request, verified);
    if (answered.created) await tell(service, request, store, 'CompleteMultipartUpload');
    return answered.response;
  }
  if (query.has('uploads') || query.has('uploadId')) throw notOffered(requestText(request));
  if (method === 'GET' || method === 'HEAD') return readObject(store, request);
  if (method === 'DELETE' && key !== '') {
    await store.remove(key);
    return { status: 204 };
  }
  if (method !== 'PUT') throw notOffered(requestText(request));
  return put(service, store, request, verified);
}

async function put(
  service: S3Service,
  store: ObjectStore,
  request: S3Request,
  verified: VerifiedBody,
): Promise<ServiceResponse> {
  const isCopy = request.headers['x-amz-copy-source'] !== undefined;
  const response = isCopy
    ? await copyObject(service.buckets, store, request)
    : await putObject(store, request, verified);
  await tell(service, request, store, isCopy ? 'CopyObject' : 'PutObject');
  return response;
}

async function tell(
  { onCreated }: S3Service,
  { bucket, key }: S3Request,
  store: ObjectStore,
  reason: ObjectCreated['reason'],
): Promise<void> {
  const found = onCreated && (await store.info(key));
  if (found) await onCreated({ bucket, key, size: found.size, etag: found.etag, reason });
}

/** The answer to a request that failed. */
export function s3Failure({ status, code, message, details }: ServiceError): ServiceResponse {
  const body = document('Error', undefined, { Code: code, Message: message, ...details });
  return { status, headers: { 'content-type': 'application/xml' }, body };
}
