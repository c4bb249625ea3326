import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { writeRecords } from '../../lib/dataset/records';
import { requestKey } from '../../lib/pipeline/keys';
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
