import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { runDifferenceSchema } from '../../lib/audit/difference';
import type { PolicyEvent } from '../../lib/policy/events';
import type { Report } from '../../lib/report/record';
import { localBucket as Bucket, localCredentials, localRegion } from '../../lib/serve/credentials';
import { baverly, builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { worsened } from './policies-models';
import { digits, reportIn, type Started, startCommand, until } from './processes';

/** The nights of a deployment, seen only through its clients: AWS SDKs and the commands. */
const { main, worker } = builtCommand();
const folder = temporaryFolder();
const root = path.join(folder, 'root');
const conv = readFileSync(path.join(digits, 'conv.onnx'));

let server: Started;
let s3: S3Client;
let endpoint: string;

async function startServer(...more: string[]): Promise<void> {
  server = startCommand(main, ['serve', '--root', root, '--port', '0', '--workers', '2', '--json', ...more]);
  await until(() => server.output().stdout.includes('\n') || !server.running(), 'the endpoint');
  endpoint = JSON.parse(server.output().stdout).endpoint;
  s3 = new S3Client({ endpoint, region: localRegion, credentials: localCredentials });
}

async function stopServer(): Promise<void> {
  s3.destroy();
  server.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
}

afterAll(stopServer);

const client = (...argv: string[]) => baverly([...argv, '--endpoint', endpoint], worker);
const put = (Key: string, Body: Uint8Array | string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const text = async (Key: string): Promise<string> =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
const events = async (): Promise<PolicyEvent[]> =>
  (await text('events.jsonl'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** The runs of the policy, newest first. */
async function listed(): Promise<string[]> {
  const { runs } = JSON.parse((await client('runs', '--json')).stdout);
  return runs.map(({ run }: { run: string }) => run);
}

/** Waits for one more run than there were, follows it to its end and brings its report. */
async function nextRun(known: readonly string[]): Promise<{ readonly run: string; readonly report: Report }> {
  for (const begun = Date.now(); (await listed()).length === known.length; ) {
    expect(Date.now() - begun).toBeLessThan(60_000);
  }
  const [run] = (await listed()).filter((each) => !known.includes(each));
  const watched = await client('watch', run, '--interval', '0.2');
  expect(watched).toMatchObject({ code: expect.any(Number), stdout: expect.stringContaining('120 inputs') });
  const out = path.join(folder, run);
  expect((await client('fetch', run, '--out', out)).code).toBe(0);
  return { run, report: reportIn(out) };
}

interface Reused {
  readonly recheck: boolean;
}
const reusedBy = async (run: string): Promise<Reused[]> =>
  (await text(`runs/${run}/reuse.jsonl`))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((line) => 'recheck' in line);

const differenceOf = async (run: string) =>
  runDifferenceSchema.parse(JSON.parse(await text(`runs/${run}/difference.json`)));
const count = ({ balls }: Report, wanted: string): number => balls.filter(({ verdict }) => verdict === wanted).length;
/** Balls whose first attempt a run planned. */
const triedFirst = ({ batches }: Report): number =>
  batches.filter(({ kind }) => kind === 'first').reduce((sum, { size }) => sum + size, 0);

let uploaded: Awaited<ReturnType<typeof nextRun>>;
let first: Awaited<ReturnType<typeof nextRun>>;

test('policy, data set and model are put there, and the run starts by itself', async () => {
  await startServer('--no-nightly');
  // The canonical form of a data set is what any run leaves in its folder (docs/deploy.md).
  const sample = path.join(folder, 'sample');
  const data = ['--data', path.join(digits, 'digits-test.npz'), '--epsilon', '0.01', '--first', '1'];
  await baverly(['run', '--model', path.join(digits, 'conv.onnx'), ...data, '--out', sample], worker);
  const stored = path.join(sample, 'datasets/data');
  for (const name of readdirSync(stored)) await put(`datasets/digits/${name}`, readFileSync(path.join(stored, name)));
  const policy = {
    ...{ version: 1, models: 'models/digits*.onnx', dataset: 'datasets/digits', epsilons: ['0.01', '0.05'] },
    // Too short for some balls, so that the nights have something to go on with.
    ...{ first: 120, workers: 2, secondsPerBall: 0.1, audit: 'nightly', recheck: 0.1 },
    ...{ thresholds: { certified: [{ epsilon: '0.01', atLeast: 0.5 }], newlyBroken: 0 }, notify: ['me@example.org'] },
  };
  await put('policies/digits.json', JSON.stringify(policy));
  await put('models/digits.onnx', conv);
  uploaded = await nextRun([]);
  expect(uploaded.run).toMatch(/^digits-digits-[0-9a-f]{16}$/);
  expect(count(uploaded.report, 'robust')).toBeGreaterThan(100);
  expect(count(uploaded.report, 'unknown')).toBeGreaterThan(0);
});

test('a night at once reuses verdicts, verifies a tenth of them again, and all that was open', async () => {
  await stopServer();
  await startServer('--no-nightly', '--audit-now');
  first = await nextRun([uploaded.run]);
  const reused = await reusedBy(first.run);
  const known = count(uploaded.report, 'robust') + count(uploaded.report, 'not-robust');
  expect(reused).toHaveLength(known);
  const rechecked = reused.filter(({ recheck }) => recheck).length;
  expect(rechecked).toBe(Math.ceil(0.1 * known));
  expect(triedFirst(first.report)).toBe(rechecked + count(uploaded.report, 'unknown'));
  const { sameModel, contradictions, radii } = await differenceOf(first.run);
  expect({ sameModel, contradictions }).toEqual({ sameModel: true, contradictions: [] });
  expect(radii.map(({ compared }) => compared)).toEqual([120, 120]);
  const diff = await client('diff', uploaded.run, first.run, '--json');
  expect(JSON.parse(diff.stdout)).toMatchObject({ sameModel: true, contradictions: [] });
});

test('another version of the model is verified, compared, and its crossing of a threshold is told', async () => {
  await put('models/digits.onnx', worsened(conv));
  const { run, report } = await nextRun([first.run, uploaded.run]);
  expect(report.balls.some(({ settledBy }) => settledBy?.startsWith('reused'))).toBe(false);
  const { sameModel, radii, balls } = await differenceOf(run);
  const broken = radii.reduce((sum, { newlyBroken }) => sum + newlyBroken, 0);
  expect({ sameModel, isBroken: broken > 0 }).toEqual({ sameModel: false, isBroken: true });
  expect(balls.filter(({ change }) => change === 'newly broken')).toHaveLength(broken);
  const diff = await client('diff', first.run, run);
  expect(diff).toMatchObject({ code: 1, stdout: expect.stringContaining('newly broken') });
  expect(await events()).toContainEqual(
    expect.objectContaining({
      ...{ type: 'Threshold Crossed', run, notify: ['me@example.org'] },
      threshold: expect.objectContaining({ name: 'newly broken balls', limit: 0, value: broken }),
    }),
  );
  const told = `notification to me@example.org: Threshold Crossed: `;
  await until(() => server.output().stderr.includes(told), 'the notification');
  const page = await text(`runs/${run}/report.html`);
  for (const heading of ['Over time', 'Since the last run', 'Balls that changed']) expect(page).toContain(heading);
});

test('the clock starts a night, once, which compares with the last run', async () => {
  await stopServer();
  const before = await (async () => {
    await startServer('--no-nightly');
    const runs = await listed();
    await stopServer();
    return runs;
  })();
  const due = new Date(Date.now() + 5_000);
  await startServer('--nightly', `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} * * *`);
  const night = await nextRun(before);
  expect((await reusedBy(night.run)).length).toBeGreaterThan(0);
  expect(await differenceOf(night.run)).toMatchObject({ sameModel: true, before: { run: before[0] } });
  expect(await listed()).toHaveLength(before.length + 1);
  const finished = (await events()).filter(({ type }) => type === 'Run Finished').map(({ run }) => run);
  expect(finished).toEqual([...before].reverse().concat(night.run));
});
