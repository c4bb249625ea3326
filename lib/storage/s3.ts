import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  NotFound,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { contentType } from './content-type';
import { checkKey, checkPrefix, problemOfKey } from './keys';
import { reasonOf } from './s3-reason';
import { checkRange, MissingKeyError, rangeBeyondEnd, type Storage, StorageError, type StoredObject } from './storage';

export interface S3StorageOptions {
  readonly bucket: string;
  /** By default one with the environment's credentials, region and endpoint (AWS_ENDPOINT_URL_S3). */
  readonly client?: S3Client;
  readonly endpoint?: string;
  readonly region?: string;
  /** What every request goes through, e.g. to trace it; gives the client, or one in its place. */
  readonly through?: (client: S3Client) => S3Client;
}

/** Attempts of one request; the waits between them double. Ten thousand Lambdas at once do see `503 SlowDown`. */
const attempts = 6;
/** Attempts at receiving a body: the SDK tries again until an answer begins, not when it breaks off. */
const bodyAttempts = 3;
/** Attempts at a conditional write that S3 answers by 409: another write of the key was in progress. */
const conflictAttempts = 10;

/**
 * Objects in an S3 bucket. Needs `s3:GetObject` and `s3:PutObject` on the keys and `s3:ListBucket` on the bucket (without
 * which S3 answers 403 instead of 404 for a key that is free). Everything that fails other than by MissingKeyError,
 * RangeError or TypeError is a StorageError.
 */
export function s3Storage(options: S3StorageOptions): Storage {
  const { bucket } = options;
  const { through = (client) => client } = options;
  const client = through(options.client ?? makeClient(options));
  const location = `s3://${bucket}`;

  /** Runs a request; errors that `known` does not translate become a StorageError. */
  async function attempt<T>(
    operation: string,
    key: string,
    request: () => Promise<T>,
    known: (error: S3ServiceException) => Error | undefined = () => undefined,
  ): Promise<T> {
    try {
      return await request();
    } catch (error) {
      const translated = error instanceof S3ServiceException ? known(error) : undefined;
      throw translated ?? new StorageError(operation, `${location}/${key}`, reasonOf(error), { cause: error });
    }
  }

  const read = (key: string, range?: string) =>
    receive(() => client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...(range && { Range: range }) })));

  const missing = (key: string) => (error: S3ServiceException) =>
    error.name === 'NoSuchKey' ? new MissingKeyError(key) : undefined;

  const putObject = (key: string, body: Uint8Array | string, condition: object = {}) =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytesOf(body),
        ContentType: contentType(key),
        ...condition,
      }),
    );

  return {
    location,

    async get(key) {
      checkKey(key);
      return await attempt('get', key, () => read(key), missing(key));
    },

    async getRange(key, start, end) {
      checkKey(key);
      checkRange(start, end);
      return await attempt(
        'get a range of',
        key,
        () => read(key, `bytes=${start}-${end - 1}`),
        (error) => (error.name === 'InvalidRange' ? rangeBeyondEnd(key, start, sizeIn(error)) : missing(key)(error)),
      );
    },

    async put(key, body) {
      checkKey(key);
      await attempt('put', key, () => putObject(key, body));
    },

    async putIfAbsent(key, body) {
      checkKey(key);
      const writer = randomUUID();
      return await attempt('put if absent', key, async () => {
        try {
          await withoutConflict(() => putObject(key, body, { IfNoneMatch: '*', Metadata: { writer } }));
          return true;
        } catch (error) {
          if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412)) throw error;
          // When an answer was lost, the SDK's next attempt may have met what this very call wrote.
          return (error.$metadata.attempts ?? 1) > 1 && (await writerOf(client, bucket, key)) === writer;
        }
      });
    },

    async list(prefix) {
      checkPrefix(prefix);
      return await attempt('list', `${prefix}*`, () => listObjects(client, bucket, prefix));
    },
  };
}

/** The SDK takes an empty string for a stream of unknown length. */
const bytesOf = (body: Uint8Array | string) => (typeof body === 'string' ? Buffer.from(body) : body);

function makeClient({ endpoint, region }: S3StorageOptions): S3Client {
  return new S3Client({
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: 5_000 },
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
  });
}

/** Sends a request and receives the whole body of the answer. */
async function receive(send: () => Promise<GetObjectCommandOutput>): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const { Body } = await send();
    if (!Body) return new Uint8Array();
    try {
      return await Body.transformToByteArray();
    } catch (error) {
      if (attempt === bodyAttempts) throw error;
      await delay(50 * 2 ** attempt * Math.random());
    }
  }
}

/** Repeats a conditional write until S3 can tell whether its condition holds. */
async function withoutConflict(write: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      const conflict = error instanceof S3ServiceException && error.name === 'ConditionalRequestConflict';
      if (!conflict || attempt === conflictAttempts) throw error;
      await delay(Math.min(2_000, 20 * 2 ** attempt) * Math.random());
    }
  }
}

/** Which call of putIfAbsent wrote an object, if one did. */
async function writerOf(client: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).Metadata?.writer;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

async function listObjects(client: S3Client, bucket: string, prefix: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  // Without url encoding, a control character in some key would make the answer malformed XML.
  const request = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const;
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, request)) {
    for (const { Key = '', Size = 0 } of Contents) {
      const key = decodeURIComponent(Key.replaceAll('+', ' '));
      // Others may have put objects here that no key of ours names, such as `folder/`.
      if (problemOfKey(key) === undefined) found.push({ key, size: Size });
    }
  }
  return found;
}

/** The size of the object that a `416 InvalidRange` states. */
function sizeIn(error: object): number | undefined {
  const size = Number((error as { readonly ActualObjectSize?: unknown }).ActualObjectSize ?? Number.NaN);
  return Number.isNaN(size) ? undefined : size;
}
