import { compareKeys } from '../../storage/keys';
import { ServiceError, type ServiceResponse } from '../http/message';
import { encode } from '../http/signature';
import { document } from '../http/xml';
import { notOffered, requestText } from './offered';
import { type S3Request, s3Namespace } from './request';
import type { ListedObject, ObjectInfo, ObjectStore } from './store';

/** S3 never lists more at a time. */
const longestPage = 1000;

/** One line of a listing: an object, or all keys that share a prefix up to the delimiter. */
interface Line {
  readonly prefix: string | undefined;
  readonly last: ListedObject;
}

/** ListObjectsV2. The continuation token is the last key that the pages so far cover; those to come may be as at the first page. */
export async function listObjects(store: ObjectStore, request: S3Request): Promise<ServiceResponse> {
  const { bucket, query } = request;
  if (query.get('list-type') !== '2')
    throw notOffered(query.size === 0 ? 'ListObjects of version 1' : requestText(request));
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
  const size = pageSize(query.get('max-keys'));
  const objects = await store.list(prefix, token !== null);
  const lines = linesOf(objects, firstAfter(objects, after), size + 1, prefix, delimiter);
  const page = lines.slice(0, size);
  const truncated = lines.length > page.length;
  const infos = await Promise.all(page.filter((line) => line.prefix === undefined).map(({ last }) => last.info()));
  const write = query.get('encoding-type') === 'url' ? urlEncoded : (key: string) => key;
  const content = {
    Name: bucket,
    Prefix: write(prefix),
    Delimiter: delimiter ? write(delimiter) : undefined,
    KeyCount: page.length,
    MaxKeys: size,
    EncodingType: query.has('encoding-type') ? 'url' : undefined,
    IsTruncated: truncated,
    NextContinuationToken: truncated && page.length > 0 ? tokenOf(page) : undefined,
    Contents: infos.flatMap((info) => (info === undefined ? [] : [contents(info, write)])),
    CommonPrefixes: page.flatMap((line) => (line.prefix === undefined ? [] : [{ Prefix: write(line.prefix) }])),
  };
  return { status: 200, body: document('ListBucketResult', s3Namespace, content) };
}

function pageSize(asked: string | null): number {
  const size = Number(asked ?? longestPage);
  if (!Number.isInteger(size) || size < 0) {
    throw new ServiceError(400, 'InvalidArgument', 'max-keys must be a whole number of 0 or more');
  }
  return Math.min(longestPage, size);
}

/** Where the keys after this one begin. */
function firstAfter(objects: readonly ListedObject[], after: string): number {
  let [low, high] = [0, objects.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(objects[middle].key, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** At most so many lines, and all objects of the last but one. */
function linesOf(
  objects: readonly ListedObject[],
  start: number,
  most: number,
  prefix: string,
  delimiter: string,
): Line[] {
  const lines: Line[] = [];
  for (let k = start; k < objects.length && lines.length < most; k++) {
    const object = objects[k];
    const at = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    const common = at < 0 ? undefined : object.key.slice(0, at + delimiter.length);
    const repeated = common !== undefined && lines.at(-1)?.prefix === common;
    if (repeated) lines.pop();
    lines.push({ prefix: common, last: object });
  }
  return lines;
}

const tokenOf = (page: readonly Line[]) => Buffer.from(page.at(-1)!.last.key).toString('base64url');

function contents({ key, modified, etag, size }: ObjectInfo, write: (key: string) => string) {
  return {
    Key: write(key),
    LastModified: modified.toISOString(),
    ETag: etag,
    Size: size,
    StorageClass: 'STANDARD',
  };
}

/** How S3 encodes keys in a listing: a space as `+`, `/` as it is. */
function urlEncoded(key: string): string {
  return encode(key).replaceAll('%2F', '/').replaceAll('%20', '+');
}
