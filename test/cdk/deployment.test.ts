import type { DataSet, Preprocessing } from '../../lib/dataset/dataset';
import { writeRecords } from '../../lib/dataset/records';
import { floatTensor } from '../../lib/network/tensor';
import { metricNames } from '../../lib/observe/names';
import { reportSchema } from '../../lib/report/record';
import type { RunRequest } from '../../lib/schedule/records';
import { getJson, type Storage } from '../../lib/storage/storage';
import { figuresIn } from '../observe/lambda';
import { modelBytes, node } from '../support/models';
import { type Deployment, deploy } from './deployment';

let deployment: Deployment;
let storage: Storage;
beforeAll(async () => {
  deployment = await deploy();
  storage = deployment.s3.storage('user');
  await upload(storage);
});
afterAll(() => deployment.remove());
afterEach(() => expect(deployment.s3.refused).toEqual([]));

const model = 'models/larger-of-two.onnx';
const dataset = 'datasets/pairs';

/** A net that says which of two numbers is larger, and four pairs, the last with a wrong label. */
async function upload(storage: Storage): Promise<void> {
  const identity = floatTensor('w', [2, 2], Float32Array.of(1, 0, 0, 1));
  const net = modelBytes({
    nodes: [node('MatMul', ['x', 'w'], 'z'), node('Relu', ['z'], 'h'), node('MatMul', ['h', 'w'], 'y')],
    initializers: [identity],
    input: ['batch', 2],
    output: ['batch', 2],
  });
  const pairs: DataSet = {
    count: 4,
    shape: [2],
    values: Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.9),
    labels: Int32Array.of(0, 0, 1, 0),
  };
  const preprocessing: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 1] };
  await storage.put(model, net);
  await writeRecords(storage, dataset, pairs, preprocessing, 'pairs');
}

const request: RunRequest = {
  version: 1,
  model,
  dataset,
  epsilons: [
    { text: '0.1', value: 0.1 },
    { text: '0.5', value: 0.5 },
  ],
  mode: 'batch',
  secondsPerBall: 5,
  seed: 1,
  workers: 2,
  acceptLowAccuracy: true,
};

async function runRequest(run: string, request: RunRequest) {
  await storage.put(`runs/${run}/request.json`, JSON.stringify(request));
  return await deployment.run(run, { kind: 'run', bucket: deployment.s3.bucket, run });
}

test('a whole run succeeds with what was bundled and with what the roles allow', async () => {
  expect(await runRequest('trial', request)).toMatchObject({
    status: 'SUCCEEDED',
    output: { status: 'done', reportKey: 'runs/trial/report.json' },
  });
  const report = reportSchema.parse(await getJson(storage, 'runs/trial/report.json'));
  const verdicts = (epsilon: string) =>
    report.balls.filter((ball) => ball.epsilon === epsilon).map(({ index, verdict }) => [index, verdict]);
  expect(verdicts('0.1')).toEqual([
    [0, 'robust'],
    [1, 'robust'],
    [2, 'robust'],
    [3, 'misclassified'],
  ]);
  expect(verdicts('0.5')).toEqual([
    [0, 'not-robust'],
    [1, 'not-robust'],
    [2, 'not-robust'],
    [3, 'misclassified'],
  ]);
});

test('a run that cannot be planned fails, and may leave word of why', async () => {
  const result = await runRequest('lost', { ...request, model: 'models/lost.onnx' });
  expect(result).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('models/lost.onnx') });
  expect(await getJson(storage, 'runs/lost/failure.json')).toMatchObject({
    problems: [expect.stringContaining('models/lost.onnx')],
  });
});

test('the bundled functions give every figure that there is, with the stack as dimension', () => {
  const figures = figuresIn(deployment.lines);
  expect([...new Set(figures.map(({ name }) => name))].sort()).toEqual(Object.values(metricNames).sort());
  expect([...new Set(figures.map(({ dimensions }) => JSON.stringify(dimensions)))]).toEqual(['{"service":"Baverly"}']);
});

test('what the functions did is traced: their steps, requests to S3, and the run, round and mini-batch', () => {
  const { subsegments, call } = deployment.xray;
  const ended = subsegments.filter(({ in_progress: isUnderWay }) => isUnderWay !== true);
  const named = (name: string) => ended.filter((each) => each.name === name);
  // Mini-batches of a round end in any order; the first to begin has loaded the model.
  const verified = named('verify');
  expect(verified).toContainEqual(
    expect.objectContaining({ parent_id: call, annotations: { run: 'trial', round: 0, batch: '0-0' } }),
  );
  const below = (id: unknown) => ended.filter(({ parent_id: parent }) => parent === id).map(({ name }) => name);
  for (const { id } of verified)
    expect(below(id)).toEqual(expect.arrayContaining(['S3', 'read', 'bounds', 'attack', 'write']));
  expect(verified.flatMap(({ id }) => below(id))).toContain('load model');
  expect(named('search').length).toBeGreaterThan(0);
  for (const name of ['plan', 'coordinate', 'report'])
    expect(named(name)[0]).toMatchObject({ annotations: { run: 'trial' } });
  expect(named('S3')).toEqual(expect.arrayContaining([expect.objectContaining({ namespace: 'aws' })]));
  // The plan of the run whose model is not there.
  const failed = ended.filter(({ fault }) => fault === true);
  expect(failed.map(({ name }) => name)).toContain('plan');
});

describe('with a policy', () => {
  beforeAll(() =>
    storage.put(
      'policies/nightly.json',
      JSON.stringify({
        version: 1,
        models: 'models/larger*.onnx',
        dataset,
        epsilons: ['0.1'],
        audit: 'nightly',
        acceptLowAccuracy: true,
        recheck: 0.5,
        notify: ['a@example.org'],
      }),
    ),
  );

  const startOf = (run: unknown) => ({ name: run, input: { kind: 'run', bucket: deployment.s3.bucket, run } });
  const runs = () => deployment.started.map(({ name }) => name);
  const uploaded = (key: string) => ({
    version: '0',
    id: 'event',
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: {
      version: '0',
      bucket: { name: deployment.s3.bucket },
      object: { key, size: 300, etag: 'd41d8cd98f00b204e9800998ecf8427e', 'version-id': 'v1', sequencer: '0061' },
      reason: 'PutObject',
    },
  });

  test('what S3 sends of an uploaded model, twice, starts one run of it', async () => {
    for (const state of ['started', 'exists']) {
      const record = await deployment.invoke('dispatch', uploaded(model));
      expect(record).toMatchObject({ versionId: 'v1', problems: [], runs: [{ policy: 'nightly', state }] });
    }
    const [{ name, input }] = deployment.started as [{ name: string; input: unknown }];
    expect({ name, input }).toEqual(startOf(expect.stringMatching(/^nightly-larger-of-two-[0-9a-f]{16}$/)));
    expect(runs()).toHaveLength(1);
    expect(await deployment.run(name, input)).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
  });

  test('what the schedule sends starts a run of every model, which reuses what is known', async () => {
    const [schedule] = Object.values(deployment.template.findResources('AWS::Scheduler::Schedule'));
    const input = String(schedule!.Properties.Target.Input);
    const event = JSON.parse(input.replace('<aws.scheduler.scheduled-time>', '2026-11-23T02:00:00Z'));
    expect(await deployment.invoke('audit', event)).toMatchObject({ problems: [], runs: [{ model }] });
    expect(runs()).toHaveLength(2);
    const night = deployment.started.at(-1)!;
    expect(await deployment.run(night.name, night.input)).toMatchObject({ status: 'SUCCEEDED' });
    const report = reportSchema.parse(await getJson(storage, `runs/${night.name}/report.json`));
    // Three balls are known, of which two are verified again.
    expect(report.balls.filter(({ settledBy }) => settledBy?.startsWith('reused '))).toHaveLength(1);
    expect(await getJson(storage, `runs/${night.name}/difference.json`)).toMatchObject({ sameModel: true, balls: [] });
  });

  test('a model that no policy is about is told', async () => {
    await storage.put('models/other.onnx', 'x');
    await deployment.invoke('dispatch', uploaded('models/other.onnx'));
    expect(deployment.published.at(-1)).toMatchObject({
      type: 'Model Not Verified',
      detail: { model: 'models/other.onnx' },
    });
    expect(runs()).toHaveLength(2);
  });
});
