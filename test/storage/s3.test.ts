import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { S3Request } from '../../lib/serve/s3/request';
import { s3Storage } from '../../lib/storage/s3';
import { getText, MissingKeyError, type Storage, StorageError } from '../../lib/storage/storage';
import { loopbackClient, serverCredentials } from '../fixtures/s3/client';
import { type Fault, type LoopbackS3, startS3 } from '../fixtures/s3/server';

const bucket = 'a-bucket';
let server: LoopbackS3;
let client: S3Client;
let storage: Storage;
/** Faults of the requests to come, in their order. */
let faults: (Fault | undefined)[];
let onRequest: (request: S3Request) => void;

beforeEach(async () => {
  faults = [];
  onRequest = () => {};
  server = await startS3({
    credentials: serverCredentials,
    buckets: [bucket],
    faults: (request) => {
      onRequest(request);
      return faults.shift();
    },
  });
  client = loopbackClient(server.endpoint);
  storage = s3Storage({ bucket, client });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const slowDown: Fault = { kind: 'error', status: 503, code: 'SlowDown' };
const conflict: Fault = { kind: 'error', status: 409, code: 'ConditionalRequestConflict' };
const dropResponse: Fault = { kind: 'drop-response' };
const denied: Fault = { kind: 'error', status: 403, code: 'AccessDenied' };
const methods = () => server.requests.map(({ method }) => method).join(' ');

async function failure(promise: Promise<unknown>): Promise<StorageError> {
  return await promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (reason) => reason,
  );
}

describe('put if absent', () => {
  test('is a conditional write, signed by its writer', async () => {
    await storage.putIfAbsent('a', 'x');
    expect(server.requests[0].headers['if-none-match']).toBe('*');
    expect(server.requests[0].headers['x-amz-meta-writer']).toMatch(/^[0-9a-f-]{36}$/);
    expect(methods()).toBe('PUT');
  });

  test('knows its own write when the answer to it is lost', async () => {
    faults = [dropResponse];
    expect(await storage.putIfAbsent('a', 'mine')).toBe(true);
    expect(methods()).toBe('PUT PUT HEAD');
    expect(await getText(storage, 'a')).toBe('mine');
  });

  test('knows that another has won when its own attempt is lost, even with the same body', async () => {
    faults = [{ kind: 'drop-request' }];
    const other = loopbackClient(server.endpoint);
    let raced = false;
    onRequest = () => {
      if (raced) return;
      raced = true;
      void s3Storage({ bucket, client: other }).putIfAbsent('a', 'the same');
    };
    // The first request is dropped; while the client waits, another writer takes the key.
    expect(await storage.putIfAbsent('a', 'the same')).toBe(false);
    expect(methods()).toBe('PUT PUT PUT HEAD');
    other.destroy();
  });

  test('has one winner among writers whose answers are lost', async () => {
    faults = Array.from({ length: 6 }, (_, i) => (i % 2 ? dropResponse : undefined));
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => storage.putIfAbsent('a', `writer ${i}`)));
    expect(results.filter((won) => won)).toHaveLength(1);
    expect(await getText(storage, 'a')).toBe(`writer ${results.indexOf(true)}`);
  });

  test('is tried again while S3 reports a conflict', async () => {
    faults = [conflict, conflict, undefined, conflict];
    expect(await storage.putIfAbsent('a', 'first')).toBe(true);
    expect(await storage.putIfAbsent('a', 'second')).toBe(false);
    expect(methods()).toBe('PUT PUT PUT PUT PUT');
    expect(await getText(storage, 'a')).toBe('first');
  });

  test('throws when it cannot tell', async () => {
    faults = [dropResponse, dropResponse, dropResponse];
    const error = await failure(storage.putIfAbsent('a', 'x'));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toMatch(/^put if absent s3:\/\/a-bucket\/a: .*(ECONNRESET|hang up)/);
  });
});

describe('what passes is survived', () => {
  test('a busy S3', async () => {
    faults = [slowDown, slowDown];
    await storage.put('a', 'x');
    faults = [slowDown];
    expect(await getText(storage, 'a')).toBe('x');
    faults = [slowDown];
    expect(await storage.list('')).toEqual([{ key: 'a', size: 1 }]);
  });

  test('an answer that breaks off', async () => {
    await storage.put('a', '0123456789');
    faults = [{ kind: 'cut-body', after: 4 }];
    expect(await getText(storage, 'a')).toBe('0123456789');
    faults = [{ kind: 'cut-body', after: 1 }];
    expect(Buffer.from(await storage.getRange('a', 2, 6)).toString()).toBe('2345');
  });

  test('but not for ever', async () => {
    await storage.put('a', '0123456789');
    faults = Array.from({ length: 3 }, () => ({ kind: 'cut-body', after: 4 }) as const);
    const error = await failure(storage.get('a'));
    expect(error).toBeInstanceOf(StorageError);
    expect(faults).toEqual([]);
  });
});

describe('errors', () => {
  test('say what failed, on which object, why, and what to do', async () => {
    faults = [denied];
    const error = await failure(storage.get('runs/x/run.json'));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toBe(
      'get s3://a-bucket/runs/x/run.json: AccessDenied: a fault for a test (HTTP 403): the credentials do not allow it ' +
        '(needed: s3:GetObject, s3:PutObject, and s3:ListBucket on the bucket)',
    );
    expect(error.cause).toMatchObject({ name: 'AccessDenied' });
    faults = [slowDown, slowDown, slowDown];
    expect((await failure(storage.put('a', 'x'))).message).toContain('(HTTP 503 after 3 attempts)');
  });

  test('tell a missing bucket from a missing key', async () => {
    const elsewhere = s3Storage({ bucket: 'no-such-bucket', client });
    for (const attempt of [elsewhere.get('a'), elsewhere.put('a', 'x'), elsewhere.list('p')]) {
      const error = await failure(attempt);
      expect(error).not.toBeInstanceOf(MissingKeyError);
      expect(error.message).toContain('there is no such bucket');
    }
    expect((await failure(elsewhere.list('p'))).message).toMatch(/^list s3:\/\/no-such-bucket\/p\*: /);
  });

  test('tell wrong credentials', async () => {
    const wrong = loopbackClient(server.endpoint, { secretAccessKey: 'another' });
    const error = await failure(s3Storage({ bucket, client: wrong }).put('a', 'x'));
    expect(error.message).toContain('the secret key does not belong to the access key');
    wrong.destroy();
  });

  test('tell a server that is not there', async () => {
    await server.close();
    const error = await failure(storage.get('a'));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain('ECONNREFUSED');
    server = await startS3({ credentials: serverCredentials });
  });
});

test('objects carry their media type', async () => {
  await storage.put('report.html', '<p>');
  await storage.put('model.onnx', 'x');
  const typeOf = async (Key: string) => (await client.send(new GetObjectCommand({ Bucket: bucket, Key }))).ContentType;
  expect([await typeOf('report.html'), await typeOf('model.onnx')]).toEqual([
    'text/html; charset=utf-8',
    'application/octet-stream',
  ]);
});

test('objects of others that no key names are not listed', async () => {
  for (const Key of ['a/', 'a//b', 'c']) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));
  expect(await storage.list('')).toEqual([{ key: 'c', size: 1 }]);
});

test('a storage makes its own client from an endpoint and the environment', async () => {
  const before = { ...process.env };
  const [[AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]] = Object.entries(serverCredentials);
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  try {
    const own = s3Storage({ bucket, endpoint: server.endpoint, region: 'eu-central-1' });
    await own.put('a', 'x');
    expect(server.requests[0].headers.authorization).toContain('/eu-central-1/s3/');
    Object.assign(process.env, { AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: 'eu-west-1' });
    expect(await getText(s3Storage({ bucket }), 'a')).toBe('x');
  } finally {
    process.env = before;
  }
});
