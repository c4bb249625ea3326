import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { writeRecords } from '../../lib/dataset/records';
import { failureKey, requestKey } from '../../lib/pipeline/keys';
import { readJson } from '../../lib/pipeline/records';
import { failureRecordSchema } from '../../lib/pipeline/report';
import { readReport } from '../../lib/report/json';
import type { RunRequest } from '../../lib/schedule/records';
import { s3Storage } from '../../lib/storage/s3';
import type { Storage } from '../../lib/storage/storage';
import { createLocalMachine, type LocalMachine } from '../../lib/workflow/local';
import { createPool, type Pool } from '../../lib/workflow/pool/pool';
import { loopbackClient, serverCredentials, testCredentials } from '../fixtures/s3/client';
import { type LoopbackS3, startS3 } from '../fixtures/s3/server';
import { baverly, builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { ballsOf, digits, reportIn, verdictsOf } from './processes';

const { worker } = builtCommand();
const folder = temporaryFolder();
const model = readFileSync(path.join(digits, 'fc.onnx'));
const dataFile = path.join(digits, 'digits-test.npz');
const bucket = 'audit-bucket';
const asked = { first: 150, epsilons: ['0.01', '0.03'] };

let server: LoopbackS3;
let storage: Storage;
let pool: Pool;
let machine: LocalMachine;

beforeAll(async () => {
  server = await startS3({ credentials: serverCredentials, buckets: [bucket] });
  storage = s3Storage({ bucket, client: loopbackClient(server.endpoint) });
  pool = createPool({
    entry: worker,
    size: 2,
    timeoutFor: () => 300,
    env: {
      BAVERLY_BUCKET: bucket,
      BAVERLY_ROOT: '',
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: testCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: testCredentials.secretAccessKey,
    },
  });
  machine = createLocalMachine({ storage, bucket, pool, concurrency: 2 });
  const { dataset } = parseDataSet({ data: { name: 'digits-test.npz', bytes: readFileSync(dataFile) } });
  await writeRecords(storage, 'datasets/digits', dataset, defaultPreprocessing(dataset), 'digits-test.npz');
});

afterAll(async () => {
  await pool.close();
  await server.close();
});

/** What EventBridge sends when an object was written. */
const upload = (key: string, etag: string) => ({
  source: 'aws.s3',
  'detail-type': 'Object Created',
  detail: { bucket: { name: bucket }, object: { key, etag, size: model.length } },
});

test('a run over S3 ends with the verdicts of the same run over files', async () => {
  const out = path.join(folder, 'files');
  const argv = ['--model', path.join(digits, 'fc.onnx'), '--data', dataFile, '--epsilon', asked.epsilons.join(',')];
  const files = await baverly(['run', ...argv, '--first', String(asked.first), '--out', out], worker);
  expect(files.code).toBe(0);

  await storage.put('models/by-hand.onnx', model);
  const request: RunRequest = {
    version: 1,
    model: 'models/by-hand.onnx',
    dataset: 'datasets/digits',
    epsilons: asked.epsilons.map((text) => ({ text, value: Number(text) })),
    first: asked.first,
    mode: 'batch',
    secondsPerBall: 20,
    seed: 0,
    workers: 2,
    acceptLowAccuracy: false,
  };
  await storage.put(requestKey('by-hand'), JSON.stringify(request));
  const result = await machine.start({ kind: 'run', bucket, run: 'by-hand' });
  expect(result).toMatchObject({
    status: 'SUCCEEDED',
    output: { status: 'done', reportKey: 'runs/by-hand/report.json' },
  });

  const report = await readReport(storage, 'runs/by-hand');
  expect(report.balls.map(({ index, epsilon }) => `${index} ${epsilon}`)).toEqual(ballsOf(asked.first, asked.epsilons));
  expect(report.batches.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(verdictsOf(report)).toEqual(verdictsOf(reportIn(out)));
  const kept = [...server.buckets.get(bucket)!.keys()];
  for (const name of ['report.html', 'report.csv', 'run.json']) expect(kept).toContain(`runs/by-hand/${name}`);
});

describe('an upload', () => {
  const policy = {
    version: 1,
    models: 'models/digits-*.onnx',
    dataset: 'datasets/digits',
    epsilons: ['0.01'],
    first: 60,
  };
  beforeAll(() => storage.put('policies/digits.json', JSON.stringify({ ...policy, workers: 2 })));

  test('that a policy matches starts exactly one run, although its event is delivered three times', async () => {
    await storage.put('models/digits-1.onnx', model);
    const event = upload('models/digits-1.onnx', 'first');
    const both = await Promise.all([machine.start(event), machine.start(event)]);
    const third = await machine.start(event);
    const results = [...both, third];
    expect(results.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    const started = results.flatMap((result) => Object.entries(result.started));
    expect(started).toEqual([[expect.stringMatching(/^digits-digits-1-[0-9a-f]{16}$/), expect.anything()]]);
    const [[run, ended]] = started;
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
    expect(third).toMatchObject({ output: [{ name: run, started: false }] });
    const runs = [...server.buckets.get(bucket)!.keys()].filter((key) => key.startsWith('runs/digits-'));
    expect(new Set(runs.map((key) => key.split('/')[1]))).toEqual(new Set([run]));
    expect((await readReport(storage, `runs/${run}`)).balls).toHaveLength(60);
  });

  test('that no policy matches ends as nothing, with the reason', async () => {
    expect(await machine.start(upload('models/other.onnx', 'e'))).toMatchObject({
      status: 'SUCCEEDED',
      output: { kind: 'nothing', reason: 'none of 1 policies applies to models/other.onnx' },
      started: {},
    });
  });

  test('of a model that cannot be read ends as a recorded failure', async () => {
    await storage.put('models/digits-cut.onnx', model.subarray(0, 2_000));
    const { status, started } = await machine.start(upload('models/digits-cut.onnx', 'e'));
    expect(status).toBe('SUCCEEDED');
    const [[run, ended], ...others] = Object.entries(started);
    expect(others).toEqual([]);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'BadInputError' });
    const { error, problems } = await readJson(storage, failureKey(run), failureRecordSchema);
    expect({ error, problems }).toEqual({
      error: 'BadInputError',
      problems: [
        expect.stringMatching(/^model models\/digits-cut\.onnx: is not an ONNX file, or is cut short \(2000 bytes/),
      ],
    });
    expect((await storage.list(`runs/${run}/`)).map(({ key }) => key.split('/').pop())).toEqual([
      'failure.json',
      'request.json',
    ]);
  });

  test('while a policy is broken ends as a failure recorded under the name of its execution', async () => {
    await storage.put('policies/broken.json', '{"version": 1}');
    try {
      const result = await machine.start(upload('models/digits-1.onnx', 'later'), { name: 'delivery-9' });
      expect(result).toMatchObject({ status: 'FAILED', error: 'BadInputError', started: {} });
      const { problems } = await readJson(storage, failureKey('delivery-9'), failureRecordSchema);
      expect(problems).toContainEqual(
        expect.stringMatching(/^policies in s3:\/\/audit-bucket: policies\/broken\.json: models: /),
      );
    } finally {
      await storage.put('policies/broken.json', JSON.stringify({ ...policy, models: 'models/none' }));
    }
  });
});
