import type { ServiceRequest } from '../http/message';
import { decodePath } from '../http/signature';

export const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A request of S3 with the bucket in its path. */
export interface S3Request extends ServiceRequest {
  /** Empty for a request of the service itself. */
  readonly bucket: string;
  /** Empty for a request of the bucket itself. */
  readonly key: string;
}

export function s3Request(request: ServiceRequest): S3Request {
  const [, bucket = '', ...key] = request.path.split('/').map(decodePath);
  return { ...request, bucket, key: key.join('/') };
}
