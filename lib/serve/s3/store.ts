import { type Headers, ServiceError } from '../http/message';
import { notOffered } from './offered';

/** What is known of an object without its body. */
export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  /** Names this version of the object; with its quotes. */
  readonly etag: string;
  readonly modified: Date;
}

export interface FoundObject extends ObjectInfo {
  /** Content type, user metadata and checksums, as headers of the answer to a read. */
  readonly headers: Headers;
  /** Bytes start (inclusive) to end (exclusive) of this very version, whatever is written meanwhile; both within the body. */
  read(start: number, end: number): Promise<Uint8Array>;
  /** To be called when it is not read any more. */
  close(): Promise<void>;
}

/** Condition of a write: If-None-Match and If-Match. */
export interface WriteCondition {
  readonly ifNoneMatch?: string | undefined;
  readonly ifMatch?: string | undefined;
}

/** The objects of one bucket, as the S3 interface of this folder (handle.ts) needs them. */
export interface ObjectStore {
  info(key: string): Promise<ObjectInfo | undefined>;
  find(key: string): Promise<FoundObject | undefined>;
  /**
   * Writes if the condition holds; of concurrent conditional writers one wins. ServiceError PreconditionFailed where it does
   * not hold, NoSuchKey for If-Match without an object.
   */
  write(key: string, body: Uint8Array, headers: Headers, condition: WriteCondition): Promise<ObjectInfo>;
  /** Also fine where there is nothing. */
  remove(key: string): Promise<void>;
  /** The objects with the prefix, in ascending order of their keys; `continued`: maybe as they were at the first page of a listing. */
  list(prefix: string, continued: boolean): Promise<readonly ListedObject[]>;
}

export interface ListedObject {
  readonly key: string;
  /** Undefined when it is gone by now. */
  info(): Promise<ObjectInfo | undefined>;
}

/** Buckets by name. */
export interface Buckets {
  find(name: string): ObjectStore | undefined;
  /** Refuses with a ServiceError what cannot be made. */
  create(name: string): void;
}

/** Does the work with the object. ServiceError NoSuchKey where there is none. */
export async function withObject<T>(
  store: ObjectStore,
  key: string,
  work: (object: FoundObject) => Promise<T>,
): Promise<T> {
  const found = await store.find(key);
  if (!found) throw noSuchKey(key);
  try {
    return await work(found);
  } finally {
    await found.close();
  }
}

export function noSuchKey(key: string): ServiceError {
  return new ServiceError(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
}

/** The conditions of a write that S3 knows; others are refused. */
export function writeConditionOf(headers: Headers): WriteCondition {
  const { 'if-none-match': ifNoneMatch, 'if-match': ifMatch } = headers;
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw notOffered(`writes with If-None-Match: ${ifNoneMatch} (but with If-None-Match: *)`);
  }
  return { ifNoneMatch, ifMatch };
}

export function preconditionFailed(condition: string): ServiceError {
  const message = 'At least one of the pre-conditions you specified did not hold';
  return new ServiceError(412, 'PreconditionFailed', message, { Condition: condition });
}

export function sameEtag(a: string, b: string): boolean {
  return a.replaceAll('"', '') === b.replaceAll('"', '');
}
