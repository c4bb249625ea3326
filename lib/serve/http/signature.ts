import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type Headers, ServiceError, type ServiceRequest } from './message';

/** Secret keys by access key. */
export type Credentials = Readonly<Record<string, string>>;

/** The clocks of client and server may differ by this much (milliseconds). */
const skew = 15 * 60 * 1000;

/** The services whose requests may come, as the scope of a signature names them. */
const services = ['s3', 'states', 'cloudformation'] as const;
export type ServiceName = (typeof services)[number];

/**
 * Verifies a request's Authorization header (AWS Signature Version 4) and gives the service that it is meant for. The
 * signature covers the hash of the body that `x-amz-content-sha256` states, which whoever reads the body compares with it
 * (`verifyBody` of S3, `verifyPlainBody`); without that header it covers the body itself.
 */
export function verifySignature(request: ServiceRequest, body: Uint8Array, credentials: Credentials): ServiceName {
  const { headers } = request;
  if (headers.authorization === undefined)
    throw new ServiceError(403, 'AccessDenied', 'Access Denied: anonymous request');
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    headers.authorization,
  );
  if (!parts) throw new ServiceError(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed');
  const [, credential, signedHeaders, signature] = parts;
  const [accessKey, ...scope] = credential.split('/');
  if (!Object.hasOwn(credentials, accessKey)) {
    throw new ServiceError(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    );
  }
  const service = checkScope(scope, headers);
  const names = signedHeaders.split(';');
  const unsigned = Object.keys(headers).filter((name) => mustBeSigned(name) && !names.includes(name));
  if (unsigned.length > 0) {
    throw new ServiceError(
      403,
      'AccessDenied',
      `There were headers present which were not signed: ${unsigned.join(', ')}`,
    );
  }
  const canonical = [
    request.method,
    request.path
      .split('/')
      .map((segment) => encode(decodePath(segment)))
      .join('/'),
    canonicalQuery(request.query),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders,
    headers['x-amz-content-sha256'] ?? sha256(body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope.join('/'), sha256(canonical)].join('\n');
  const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${credentials[accessKey]}`);
  if (!timingSafeEqual(hmac(signingKey, text), Buffer.from(signature, 'hex'))) {
    const message = 'The request signature we calculated does not match the signature you provided.';
    throw new ServiceError(403, 'SignatureDoesNotMatch', message);
  }
  return service;
}

/** Refuses a body that is not the one whose hash was signed. */
export function verifyPlainBody(body: Uint8Array, { 'x-amz-content-sha256': hash }: Headers): void {
  if (hash === undefined || hash === sha256(body)) return;
  throw new ServiceError(400, 'InvalidSignatureException', 'The body is not the one that was signed');
}

const mustBeSigned = (name: string) => name === 'host' || name.startsWith('x-amz-');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

/** The scope is day, region, service and a fixed word; the day is that of the request. */
function checkScope(scope: readonly string[], headers: Headers): ServiceName {
  const [day, region, name, terminator] = scope;
  const service = services.find((each) => each === name);
  const date = headers['x-amz-date'] ?? '';
  const fields = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  const wellFormed = fields && date.startsWith(day) && region && terminator === 'aws4_request';
  const bodiless = service === 's3' && headers['x-amz-content-sha256'] === undefined;
  if (!wellFormed || service === undefined || bodiless) {
    throw new ServiceError(400, 'AuthorizationHeaderMalformed', 'The credential scope or the date is malformed');
  }
  const [year, month, dayOfMonth, hour, minute, second] = fields.slice(1).map(Number);
  if (Math.abs(Date.UTC(year, month - 1, dayOfMonth, hour, minute, second) - Date.now()) > skew) {
    throw new ServiceError(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and now is too large.',
    );
  }
  return service;
}

/** Percent-encodes all but the unreserved characters A-Z a-z 0-9 - . _ ~. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Decodes a part of a path. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServiceError(400, 'InvalidURI', `Couldn't parse the specified URI: ${text}`);
  }
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a === b ? order(x, y) : order(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** By character codes. */
function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
