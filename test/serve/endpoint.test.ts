import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { localBucket as Bucket, localCredentials, localRegion } from '../../lib/serve/credentials';
import { type Server, serve } from '../../lib/serve/serve';
import { refusal } from '../fixtures/s3/refusal';
import { temporaryFolder } from '../support/folder';

const root = path.join(temporaryFolder(), 'root');
const lines: string[] = [];
let server: Server;
let s3: S3Client;

const start = (more: object = {}) =>
  serve({
    ...{ root, port: 0, worker: 'no-worker.cjs', workers: 1, memoryMb: 256, stack: 'Baverly' },
    log: (line) => void lines.push(line),
    ...more,
  });
const clientOf = (endpoint: string, credentials: { accessKeyId: string; secretAccessKey: string } = localCredentials) =>
  new S3Client({ endpoint, region: localRegion, credentials, maxAttempts: 1 });

beforeAll(async () => {
  server = await start();
  s3 = clientOf(server.endpoint);
});
afterAll(async () => {
  s3.destroy();
  await server.close();
});

const put = (Key: string, Body: string | Uint8Array, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const text = async (Key: string, more: object = {}) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))).Body!.transformToString();
const head = (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key }));

/** Status and body of a plain request; headers as given, the host's too. */
function plainly(headers: Record<string, string>, target = `/${Bucket}/a`): Promise<readonly [number, string]> {
  const { port } = new URL(server.endpoint);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path: target, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve([response.statusCode!, body]));
    });
    request.on('error', reject).end();
  });
}

describe('who is answered', () => {
  test('no name but that of this machine, however it was resolved', async () => {
    const { port } = new URL(server.endpoint);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      '127.0.0.1:1',
      `127.0.0.1.nip.io:${port}`,
    ]) {
      expect(await plainly({ host })).toEqual([403, expect.stringContaining('this server is 127.0.0.1:')]);
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await plainly({ host })).toEqual([403, expect.stringContaining('anonymous request')]);
    }
  });

  test('no web page', async () => {
    const host = new URL(server.endpoint).host;
    for (const [name, value] of [
      ['origin', 'http://127.0.0.1:3000'],
      ['sec-fetch-site', 'cross-site'],
    ]) {
      const [status, body] = await plainly({ host, [name]: value });
      expect([status, body]).toEqual([403, expect.stringContaining('requests of web pages')]);
    }
  });

  test('no keys but the local ones, names of things that every object has among them', async () => {
    for (const accessKeyId of ['AKIAOTHER', 'toString', '__proto__']) {
      const other = clientOf(server.endpoint, { accessKeyId, secretAccessKey: localCredentials.secretAccessKey });
      const asked = other.send(new ListObjectsV2Command({ Bucket }));
      expect(await refusal(asked)).toEqual([403, 'InvalidAccessKeyId']);
      other.destroy();
    }
    const wrong = clientOf(server.endpoint, { ...localCredentials, secretAccessKey: 'other' });
    expect(await refusal(wrong.send(new ListObjectsV2Command({ Bucket })))).toEqual([403, 'SignatureDoesNotMatch']);
    wrong.destroy();
  });

  test('no body that is too long, without waiting for it', async () => {
    const { host } = new URL(server.endpoint);
    const [status, body] = await plainly({ host, 'content-length': String(600 * 2 ** 20) });
    expect([status, body]).toEqual([400, expect.stringContaining('EntityTooLarge')]);
  });
});

describe('objects', () => {
  test('are the files of the root, with what was said of them', async () => {
    const { ETag } = await put('runs/a/ä 100%.json', '{}', { Metadata: { writer: 'me' }, ContentType: 'text/x' });
    expect(readFileSync(path.join(root, 'runs/a/ä 100%25.json'), 'utf8')).toBe('{}');
    expect(await head('runs/a/ä 100%.json')).toMatchObject({ ContentType: 'text/x', Metadata: { writer: 'me' }, ETag });
    expect(await text('runs/a/ä 100%.json', { Range: 'bytes=1-' })).toBe('}');
  });

  test('put there by hand are objects; what was said of the version before is not said of them', async () => {
    const { ETag } = await put('by-hand.json', 'a', { Metadata: { writer: 'me' } });
    writeFileSync(path.join(root, 'by-hand.new'), 'b');
    renameSync(path.join(root, 'by-hand.new'), path.join(root, 'by-hand.json'));
    expect(await head('by-hand.json')).toMatchObject({ ContentType: 'application/json', Metadata: {} });
    expect(await refusal(put('by-hand.json', 'c', { IfMatch: ETag }))).toEqual([412, 'PreconditionFailed']);
    expect(await text('by-hand.json')).toBe('b');
  });

  test('are written once or over a version, whoever else writes', async () => {
    const writes = Array.from({ length: 10 }, (_, i) => put('once', `${i}`, { IfNoneMatch: '*' }));
    const won = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    const { ETag } = await head('once');
    const over = Array.from({ length: 10 }, (_, i) => put('once', `over ${i}`, { IfMatch: ETag }));
    expect((await Promise.allSettled(over)).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(put('none', 'x', { IfMatch: ETag }))).toEqual([404, 'NoSuchKey']);
  });

  test.each(['../out', 'a/../../out', '/etc/passwd', 'a//b', 'a\\..\\b', 'a/./b', 'nul\0'])(
    'key %j leads nowhere',
    async (Key) => {
      const before = readdirSync(path.dirname(root));
      expect(await refusal(put(Key, 'x'))).toEqual([400, 'InvalidArgument']);
      expect(await refusal(text(Key))).toEqual([404, 'NoSuchKey']);
      expect(readdirSync(path.dirname(root))).toEqual(before);
    },
  );

  test('of the name of the folder that is none of theirs are elsewhere', async () => {
    await put('%serve/executions/x.json', 'x');
    expect(existsSync(path.join(root, '%serve/executions/x.json'))).toBe(false);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: '%' }));
    expect(Contents.map(({ Key }) => Key)).toEqual(['%serve/executions/x.json']);
  });

  test('are deleted and copied; one with others below its name stays', async () => {
    await put('x', '1', { Metadata: { writer: 'me' } });
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'y', CopySource: `${Bucket}/x` }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'x' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'x' }));
    expect(await refusal(text('x'))).toEqual([404, 'NoSuchKey']);
    expect((await head('y')).Metadata).toEqual({ writer: 'me' });
    await put('y/z', '2');
    expect(await refusal(s3.send(new DeleteObjectCommand({ Bucket, Key: 'y' })))).toEqual([501, 'NotImplemented']);
    expect([await text('y'), await text('y/z')]).toEqual(['1', '2']);
  });

  test('are not changed by what is not offered, and the refusal names what is', async () => {
    await put('kept', 'as it was');
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'kept' }));
    const part = { Bucket, Key: 'kept', UploadId, PartNumber: 1, CopySource: `${Bucket}/kept` };
    const asked: [string, Promise<unknown>][] = [
      [
        'PUT with ?tagging',
        s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'kept', Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } })),
      ],
      ['GET with ?acl', s3.send(new GetObjectAclCommand({ Bucket, Key: 'kept' }))],
      ['GET with ?versionId', s3.send(new GetObjectCommand({ Bucket, Key: 'kept', VersionId: '1' }))],
      [
        'PUT with ?versioning',
        s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
      ],
      ['UploadPartCopy', s3.send(new UploadPartCopyCommand(part))],
    ];
    for (const [what, answer] of asked) {
      const error: Error = await answer.then(
        () => new Error(`${what} was answered`),
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ name: 'NotImplemented', message: expect.stringContaining(`not offer ${what}`) });
      expect(error.message).toContain('it offers PutObject, GetObject');
    }
    expect(await text('kept')).toBe('as it was');
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'kept', UploadId }));
  });

  test('are in one bucket', async () => {
    expect(await refusal(s3.send(new CreateBucketCommand({ Bucket: 'another' })))).toEqual([403, 'AccessDenied']);
    const asked = s3.send(new ListObjectsV2Command({ Bucket: 'another' }));
    expect(await refusal(asked)).toEqual([404, 'NoSuchBucket']);
  });

  test('pages of a list go on', async () => {
    for (const name of ['b', 'a', 'c/1', 'c/2']) await put(`list/${name}`, name);
    const ask = (more: object) => s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', MaxKeys: 2, ...more }));
    const first = await ask({});
    const second = await ask({ ContinuationToken: first.NextContinuationToken, Delimiter: '/' });
    const keys = first.Contents?.map(({ Key, Size }) => `${Key} ${Size}`);
    expect([keys, second.CommonPrefixes]).toEqual([['list/a 1', 'list/b 1'], [{ Prefix: 'list/c/' }]]);
    await put('list/bb', 'written between two pages');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'list/c/1' }));
    const again = await ask({ ContinuationToken: first.NextContinuationToken });
    expect(again.Contents?.map(({ Key }) => Key)).toEqual(['list/bb', 'list/c/2']);
    expect(again.IsTruncated).toBe(false);
    expect((await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'a//b' }))).KeyCount).toBe(0);
  });
});

describe('uploads in parts', () => {
  const begin = async (Key: string) =>
    (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'text/x' }))).UploadId!;
  const part = (Key: string, UploadId: string, PartNumber: number, Body: string) =>
    s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  const complete = (Key: string, UploadId: string, Parts: object[]) =>
    s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));

  test('become one object, in the order of their numbers, and leave nothing behind', async () => {
    const id = await begin('large');
    const [second, first] = [await part('large', id, 2, 'world'), await part('large', id, 1, 'hello ')];
    expect(await refusal(text('large'))).toEqual([404, 'NoSuchKey']);
    await complete('large', id, [
      { PartNumber: 1, ETag: first.ETag },
      { PartNumber: 2, ETag: second.ETag },
    ]);
    expect(await text('large')).toBe('hello world');
    expect((await head('large')).ContentType).toBe('text/x');
    expect(readdirSync(path.join(root, '%serve/uploads'))).toEqual([]);
    expect(await refusal(part('large', id, 3, 'x'))).toEqual([404, 'NoSuchUpload']);
  });

  test('are refused where they do not fit together', async () => {
    const id = await begin('bad');
    const { ETag } = await part('bad', id, 1, 'x');
    expect(await refusal(complete('bad', id, [{ PartNumber: 1, ETag: '"other"' }]))).toEqual([400, 'InvalidPart']);
    expect(await refusal(complete('bad', id, [{ PartNumber: 2, ETag }]))).toEqual([400, 'InvalidPart']);
    const twice = [
      { PartNumber: 1, ETag },
      { PartNumber: 1, ETag },
    ];
    expect(await refusal(complete('bad', id, twice))).toEqual([400, 'InvalidPartOrder']);
    expect(await refusal(part('other', id, 1, 'x'))).toEqual([404, 'NoSuchUpload']);
    expect(await refusal(part('bad', '../executions', 1, 'x'))).toEqual([404, 'NoSuchUpload']);
    expect(await refusal(part('bad', id, 10_001, 'x'))).toEqual([400, 'InvalidArgument']);
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'bad', UploadId: id }));
    expect(await refusal(part('bad', id, 1, 'x'))).toEqual([404, 'NoSuchUpload']);
    expect(await refusal(text('bad'))).toEqual([404, 'NoSuchKey']);
  });
});

describe('the server', () => {
  test('is refused a root that is served, and a port that is taken, and leaves both as they are', async () => {
    const other = path.join(root, '..', 'other');
    await expect(start({ root: other, port: Number(new URL(server.endpoint).port) })).rejects.toThrow('is taken');
    expect(existsSync(path.join(other, '%serve/server.pid'))).toBe(false);
    // As if another process that is alive had it.
    mkdirSync(path.join(other, '%serve'), { recursive: true });
    writeFileSync(path.join(other, '%serve/server.pid'), String(process.ppid));
    await expect(start({ root: other })).rejects.toThrow(/is served by another process/);
    writeFileSync(path.join(other, '%serve/server.pid'), '999999999');
    await (await start({ root: other })).close();
    expect(existsSync(path.join(other, '%serve/server.pid'))).toBe(false);
  });
});
