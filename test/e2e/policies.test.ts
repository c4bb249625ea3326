import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runDifferenceSchema } from '../../lib/audit/difference';
import { readHistory } from '../../lib/audit/history';
import { readReuse } from '../../lib/audit/reuse-record';
import { readVerdicts, writeVerdicts } from '../../lib/audit/verdict-store';
import { parseDataSet } from '../../lib/dataset/open';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { writeRecords } from '../../lib/dataset/records';
import { modelHash } from '../../lib/network/hash';
import { failureKey } from '../../lib/pipeline/keys';
import { readJson } from '../../lib/pipeline/records';
import { failureRecordSchema } from '../../lib/pipeline/report';
import { dispatchAudit } from '../../lib/policy/audit';
import { type DispatchContext, dispatchUpload, uploadOf } from '../../lib/policy/dispatch';
import { fileEvents } from '../../lib/policy/event-file';
import type { PolicyEvent } from '../../lib/policy/events';
import { readReport } from '../../lib/report/json';
import { fileStorage } from '../../lib/storage/files';
import { getText } from '../../lib/storage/storage';
import { uploadEventSchema } from '../../lib/workflow/events';
import type { ExecutionResult } from '../../lib/workflow/interpreter/execute';
import { createLocalMachine, type LocalMachine } from '../../lib/workflow/local';
import { createPool, type Pool } from '../../lib/workflow/pool/pool';
import { baverly, builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { retouched, worsened } from './policies-models';
import { digits, verdictsOf } from './processes';

const { worker } = builtCommand();
const root = temporaryFolder();
const storage = fileStorage(root);
const bucket = 'here';
const fc = readFileSync(path.join(digits, 'fc.onnx'));

let pool: Pool;
let machine: LocalMachine;
const executions = new Map<string, Promise<ExecutionResult>>();

/** Dispatching on this machine: what EventBridge, Step Functions and SNS are elsewhere. */
const context: DispatchContext = {
  storage,
  bucket,
  events: fileEvents(root),
  async startRun(name, input) {
    if (executions.has(name)) return 'exists';
    executions.set(name, machine.start(input, { name }));
    return 'started';
  },
};

beforeAll(async () => {
  const env = { BAVERLY_ROOT: root, BAVERLY_BUCKET: '' };
  pool = createPool({ entry: worker, size: 2, timeoutFor: () => 300, env });
  machine = createLocalMachine({ storage, bucket, pool, concurrency: 2 });
  const file = readFileSync(path.join(digits, 'digits-test.npz'));
  const { dataset } = parseDataSet({ data: { name: 'digits-test.npz', bytes: file } });
  await writeRecords(storage, 'datasets/digits', dataset, defaultPreprocessing(dataset), 'digits-test.npz');
  const policy = {
    version: 1,
    models: 'models/digits*.onnx',
    dataset: 'datasets/digits',
    epsilons: ['0.01', '0.03'],
    first: 60,
    workers: 2,
    audit: 'nightly',
    recheck: 0.1,
    thresholds: { cleanAccuracy: 0.5, certified: [{ epsilon: '0.01', atLeast: 0.5 }], newlyBroken: 0 },
    notify: ['owner@example.org'],
  };
  await storage.put('policies/nightly.json', JSON.stringify(policy));
});

afterAll(() => pool.close());

/** What EventBridge sends when an object was written. */
const created = (key: string) =>
  uploadEventSchema.parse({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key, etag: 'e', sequencer: '1' } },
  });

const events = async (): Promise<PolicyEvent[]> =>
  (await getText(storage, 'events.jsonl').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

async function night(scheduled: string): Promise<string> {
  const [{ run }] = (await dispatchAudit({ scheduled }, context)).runs;
  expect((await dispatchAudit({ scheduled }, context)).runs).toMatchObject([{ run, state: 'exists' }]);
  expect(await executions.get(run)).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
  return run;
}

const differenceOf = (run: string) => readJson(storage, `runs/${run}/difference.json`, runDifferenceSchema);

let uploaded: string;

test('a model that is put there is verified once, although its event comes three times', async () => {
  await storage.put('models/digits.onnx', fc);
  const upload = uploadOf(created('models/digits.onnx'));
  const records = await Promise.all([dispatchUpload(upload, context), dispatchUpload(upload, context)]);
  records.push(await dispatchUpload(upload, context));
  expect([...executions.keys()]).toEqual([expect.stringMatching(/^nightly-digits-[0-9a-f]{16}$/)]);
  [uploaded] = executions.keys();
  expect(new Set(records.flatMap(({ runs }) => runs.map(({ run }) => run)))).toEqual(new Set([uploaded]));
  expect(await executions.get(uploaded)).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
  expect((await dispatchUpload(upload, context)).runs).toMatchObject([{ state: 'exists' }]);
  expect((await storage.list('runs/')).every(({ key }) => key.startsWith(`runs/${uploaded}/`))).toBe(true);
  expect(await events()).toMatchObject([{ type: 'Run Finished', run: uploaded }]);
});

test('the first night reuses all of it, verifies a share again, and finds nothing changed', async () => {
  const run = await night('2026-11-23T02:00:00Z');
  const [report, before] = [await readReport(storage, `runs/${run}`), await readReport(storage, `runs/${uploaded}`)];
  expect(verdictsOf(report)).toEqual(verdictsOf(before));
  const { balls } = (await readReuse(storage, run))!;
  const known = before.balls.filter(({ verdict }) => verdict === 'robust' || verdict === 'not-robust').length;
  expect(balls).toHaveLength(known);
  const rechecked = balls.filter(({ recheck }) => recheck).length;
  expect(rechecked).toBe(Math.ceil(0.1 * known));
  // Only what was drawn, and what was unknown, is verified.
  const first = report.batches.filter(({ kind }) => kind === 'first').reduce((sum, { size }) => sum + size, 0);
  expect(first).toBe(rechecked + before.balls.filter(({ verdict }) => verdict === 'unknown').length);
  expect(await differenceOf(run)).toMatchObject({ sameModel: true, contradictions: [], before: { run: uploaded } });
  const { code } = await baverly(['diff', path.join(root, 'runs', uploaded), path.join(root, 'runs', run)]);
  expect(code).toBe(0);
});

test('the night after the model changed starts anew, and reports what is broken', async () => {
  const told = (await events()).length;
  await storage.put('models/digits.onnx', worsened(fc));
  const run = await night('2026-11-24T02:00:00Z');
  const report = await readReport(storage, `runs/${run}`);
  expect(report.balls.some(({ settledBy }) => settledBy?.startsWith('reused'))).toBe(false);
  const difference = await differenceOf(run);
  expect(difference.sameModel).toBe(false);
  const [small] = difference.radii;
  expect(small).toMatchObject({ epsilon: '0.01', compared: 60 });
  const broken = difference.radii.reduce((sum, { newlyBroken }) => sum + newlyBroken, 0);
  expect(broken).toBeGreaterThan(0);
  expect(broken).toBe(difference.balls.filter(({ change }) => change === 'newly broken').length);
  const news = (await events()).slice(told);
  expect(news).toContainEqual(
    expect.objectContaining({
      type: 'Threshold Crossed',
      run,
      notify: ['owner@example.org'],
      threshold: expect.objectContaining({ name: 'newly broken balls', limit: 0, value: broken }),
    }),
  );
  const history = await readHistory(storage, 'nightly', 'models/digits.onnx');
  expect(history.map(({ occasion, status }) => [occasion, status])).toEqual([
    ['upload', 'done'],
    ['audit', 'done'],
    ['audit', 'done'],
  ]);
  const page = await getText(storage, `runs/${run}/report.html`);
  for (const text of ['Over time', 'Since the last run', 'Balls that changed']) expect(page).toContain(text);
  const { code, stdout } = await baverly([
    'diff',
    path.join(root, 'runs', uploaded),
    path.join(root, 'runs', run),
    '--json',
  ]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout).radii).toMatchObject([{ newlyBroken: small.newlyBroken }, {}]);
});

test('a version that differs in one bit is verified from the beginning, and agrees', async () => {
  await storage.put('models/digits.onnx', retouched(fc));
  const [{ run }] = (await dispatchUpload({ model: 'models/digits.onnx' }, context)).runs;
  expect(run).not.toBe(uploaded);
  expect(await executions.get(run)).toMatchObject({ status: 'SUCCEEDED' });
  expect((await readReuse(storage, run))!.balls).toEqual([]);
  const proven = (report: { radii: readonly { robust: number }[] }) => report.radii.map(({ robust }) => robust);
  const reports = [await readReport(storage, `runs/${run}`), await readReport(storage, `runs/${uploaded}`)];
  expect(proven(reports[0])).toEqual(proven(reports[1]));
});

test('a stored verdict that is wrong is found by the night that verifies it again: the run fails, loudly', async () => {
  const model = 'models/paranoid.onnx';
  const paranoid = {
    ...{ version: 1, models: model, dataset: 'datasets/digits', epsilons: ['0.12'], first: 20, workers: 2 },
    ...{ secondsPerBall: 1, audit: 'nightly', recheck: 1, notify: ['owner@example.org'] },
  };
  await storage.put('policies/paranoid.json', JSON.stringify(paranoid));
  await storage.put(model, retouched(fc, 2));
  const [{ run: first }] = (await dispatchUpload({ model }, context)).runs;
  expect(await executions.get(first)).toMatchObject({ status: 'SUCCEEDED' });
  const hash = modelHash(retouched(fc, 2));
  const { byItem } = await readVerdicts(storage, hash);
  const wrong = { verdict: 'robust' as const, epsilon: 0.12, settledBy: 'bound', margin: 1 };
  const broken = [...byItem].filter(([, found]) => found.some(({ verdict }) => verdict === 'not-robust'));
  expect(broken.length).toBeGreaterThan(0);
  const forged = broken.map(([item]) => ({ item, balls: [wrong] }));
  await writeVerdicts(storage, { run: first, modelHash: hash }, forged);

  const { runs } = await dispatchAudit({ scheduled: '2026-11-25T02:00:00Z' }, context);
  const { run } = runs.find(({ policy }) => policy === 'paranoid')!;
  await Promise.all(runs.map((asked) => executions.get(asked.run)));
  expect(await executions.get(run)).toMatchObject({ status: 'FAILED', error: 'ContradictionError' });
  expect(await readReport(storage, `runs/${run}`)).toMatchObject({ status: 'failed' });
  expect(await events()).toContainEqual(
    expect.objectContaining({ type: 'Verdicts Contradict', run, notify: ['owner@example.org'] }),
  );
  const verdicts = await storage.list(`verdicts/${hash}/`);
  expect(verdicts.map(({ key }) => path.basename(key))).toEqual([`${first}.jsonl.gz`]);
  const history = await readHistory(storage, 'paranoid', model);
  expect(history.map(({ status }) => status)).toEqual(['done', 'failed']);
});

describe('nothing ends in silence', () => {
  test('a model that cannot be read', async () => {
    await storage.put('models/digits-cut.onnx', fc.subarray(0, 2_000));
    const [{ run }] = (await dispatchUpload({ model: 'models/digits-cut.onnx' }, context)).runs;
    expect(await executions.get(run)).toMatchObject({ status: 'FAILED', error: 'BadInputError' });
    const { error, problems } = await readJson(storage, failureKey(run), failureRecordSchema);
    expect({ error, problems }).toEqual({
      error: 'BadInputError',
      problems: [
        expect.stringMatching(/^model models\/digits-cut\.onnx: is not an ONNX file, or is cut short \(2000 bytes/),
      ],
    });
    expect((await events()).at(-1)).toMatchObject({ type: 'Run Failed', run, problems, notify: ['owner@example.org'] });
  });

  test('a model that no policy is about', async () => {
    await storage.put('models/other.onnx', fc);
    expect(await dispatchUpload({ model: 'models/other.onnx' }, context)).toMatchObject({ runs: [] });
    expect((await events()).at(-1)).toMatchObject({ type: 'Model Not Verified', model: 'models/other.onnx' });
  });

  test('a clean accuracy below the policy', async () => {
    const strict = { version: 1, models: 'models/strict.onnx', dataset: 'datasets/digits', epsilons: ['0.01'] };
    const thresholds = { cleanAccuracy: 1 };
    await storage.put('policies/strict.json', JSON.stringify({ ...strict, thresholds }));
    await storage.put('models/strict.onnx', fc);
    const [{ run }] = (await dispatchUpload({ model: 'models/strict.onnx' }, context)).runs;
    expect(await executions.get(run)).toMatchObject({ status: 'FAILED', error: 'BadInputError' });
    expect((await events()).at(-1)).toMatchObject({
      type: 'Run Failed',
      problems: [expect.stringContaining('policy strict demands 100 %')],
    });
  });
});
