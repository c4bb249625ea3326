import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { localBucket, localCredentials, localRegion } from '../../lib/serve/credentials';
import { machineArn } from '../../lib/workflow/local';
import { baverly, builtCommand } from '../support/command';
import { fileIn, temporaryFolder } from '../support/folder';
import { digits, reportIn, type Started, startCommand, until, verdictsOf } from './processes';

const { main, worker } = builtCommand();
const folder = temporaryFolder();
const root = path.join(folder, 'root');
const model = path.join(digits, 'fc.onnx');
const asked = ['--model', model, '--data', path.join(digits, 'digits-test.npz'), '--epsilon', '0.01,0.03'];

let server: Started;
let endpoint: string;

async function startServer(): Promise<void> {
  server = startCommand(main, ['serve', '--root', root, '--port', '0', '--workers', '2', '--json', '--no-nightly']);
  await until(() => server.output().stdout.includes('\n') || !server.running(), 'the endpoint');
  endpoint = JSON.parse(server.output().stdout).endpoint;
}

async function stopServer(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') {
  server.kill(signal);
  return server.ended;
}

/** A client command against the server. */
const client = (...argv: string[]) => baverly([...argv, '--endpoint', endpoint], worker);
const submit = (...more: string[]) => client('submit', ...asked, '--workers', '2', ...more);
/** With its answer read. */
async function json(...argv: string[]) {
  const { code, stdout } = await client(...argv, '--json');
  return { code, answer: JSON.parse(stdout) };
}
const aws = () => ({ endpoint, region: localRegion, credentials: localCredentials });

/** What the same run gives without a server; each is run once. */
const runs = new Map<string, Promise<string[]>>();
function verdictsOfRun(...more: string[]): Promise<string[]> {
  const name = more.join('-');
  const run = runs.get(name) ?? verdictsOfNewRun(path.join(folder, `run-${name}`), more);
  runs.set(name, run);
  return run;
}

async function verdictsOfNewRun(out: string, more: readonly string[]): Promise<string[]> {
  const { code } = await baverly(['run', ...asked, '--workers', '2', '--out', out, ...more], worker);
  expect(code).toBe(0);
  return verdictsOf(reportIn(out));
}

async function fetched(
  run: string,
): Promise<{ readonly code: number; readonly verdicts: string[]; readonly out: string }> {
  const out = path.join(folder, `fetched-${run}`);
  rmSync(out, { recursive: true, force: true });
  const { code } = await client('fetch', run, '--out', out);
  return { code, verdicts: verdictsOf(reportIn(out)), out };
}

/** Waits until the run has results of its first round, but not all. */
async function underWay(run: string): Promise<void> {
  for (const begun = Date.now(); Date.now() - begun < 60_000; ) {
    const { answer } = await json('watch', run, '--once');
    if (answer.status !== 'running') throw new Error(`the run ended before it could be interrupted: ${answer.status}`);
    if (answer.rounds > 0 || answer.batches.done >= 3) return;
  }
  throw new Error('waited for a minute: results of the run');
}

beforeAll(startServer);
afterAll(async () => void (await stopServer('SIGTERM')));

describe('a run', () => {
  const small = ['--first', '60'];
  let run: string;

  test('is submitted, watched and fetched, and has the verdicts of the same run without a server', async () => {
    const submitted = await submit(...small);
    expect(submitted).toMatchObject({ code: 0, stderr: expect.stringContaining('uploaded: models/sha256/') });
    run = submitted.stdout.trim();
    expect(run).toMatch(/^fc-[0-9a-f]{16}$/);
    const watched = await client('watch', run, '--interval', '0.2');
    expect(watched).toMatchObject({ code: 0, stdout: expect.stringContaining('60 inputs') });
    expect((await client('watch', run, '--fail-below', '1')).code).toBe(1);

    const { code, verdicts, out } = await fetched(run);
    expect(code).toBe(0);
    expect(verdicts).toEqual(await verdictsOfRun(...small));
    const refuted = reportIn(out).balls.filter(({ verdict }) => verdict === 'not-robust');
    expect(refuted.length).toBeGreaterThan(0);
    const missing = refuted.filter(({ witness }) => readFileSync(path.join(out, witness!)).length === 0);
    expect(missing).toEqual([]);
  });

  test('submitted again is the same run, and nothing is uploaded', async () => {
    const again = await submit(...small, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ run, kind: 'ended', status: 'SUCCEEDED', uploaded: [] });
    expect(again.code).toBe(0);
    const [first, second] = await Promise.all([submit('--first', '40', '--json'), submit('--first', '40', '--json')]);
    const both = [JSON.parse(first.stdout), JSON.parse(second.stdout)];
    expect(both[0].run).toBe(both[1].run);
    // Who asks after the other's start finds it running; who asks at the same moment starts it, too, which is one execution (below): StartExecution is idempotent.
    expect(['running,started', 'started,started']).toContain(
      both
        .map(({ kind }) => kind)
        .sort()
        .join(),
    );
    expect((await client('watch', both[0].run, '--interval', '0.2')).code).toBe(0);
    const { executions } = await new SFNClient(aws()).send(new ListExecutionsCommand({ stateMachineArn: machineArn }));
    expect(executions?.filter(({ name }) => name === both[0].run)).toHaveLength(1);
    expect((await json('runs')).answer.runs).toMatchObject([
      { run: both[0].run, status: 'done' },
      { run, status: 'done' },
    ]);
  });

  test('of something else under the same id is refused', async () => {
    expect(await submit('--first', '20', '--id', run)).toMatchObject({
      code: 2,
      stderr: `error: run ${run}\n  - there is a run of this id that asks something else: give another --id\n`,
    });
  });

  test('of what is no model is refused before anything is sent', async () => {
    const bad = fileIn(folder, 'bad.onnx', 'no model');
    const { code, stderr } = await client('submit', ...asked, '--model', bad, '--id', 'no name');
    expect(code).toBe(2);
    expect(stderr.match(/^ {2}- /gm)).toHaveLength(2);
    expect(stderr).toContain('is not an ONNX file');
  });

  test('that there is not', async () => {
    for (const argv of [['watch'], ['cancel'], ['fetch']]) {
      expect(await client(...argv, 'nothing')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no such run'),
      });
    }
  });
});

test('cancelled, a run keeps what it has, reports it, and goes on when it is submitted again', async () => {
  const large = ['--first', '300', '--id', 'cancelled'];
  await submit(...large);
  await underWay('cancelled');
  expect((await client('fetch', 'cancelled')).stderr).toContain('is under way and has no report yet');
  expect((await client('watch', 'cancelled', '--once')).stdout).toMatch(
    /^round \d+: \d+ of \d+ mini-batches; \d+ of 600 balls(, about \S+ s left)?; \d+ robust, .* balls\/CPU-s; \$0\.00\d+\n$/,
  );
  const cancelled = await client('cancel', 'cancelled');
  expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringMatching(/is stopped\. Kept: .* balls settled\./) });
  expect((await client('cancel', 'cancelled')).code).toBe(3);
  const watched = await json('watch', 'cancelled');
  expect(watched).toMatchObject({ code: 3, answer: { status: 'failed', error: 'Cancelled' } });

  const early = await fetched('cancelled');
  expect(early.code).toBe(3);
  expect(reportIn(early.out).status).toBe('incomplete');

  expect(JSON.parse((await submit(...large, '--json')).stdout)).toMatchObject({ kind: 'resumed' });
  expect((await client('watch', 'cancelled', '--interval', '0.2')).code).toBe(0);
  const { verdicts } = await fetched('cancelled');
  const whole = await verdictsOfRun('--first', '300');
  expect(verdicts).toEqual(whole);
  expect(whole).toEqual(expect.arrayContaining(early.verdicts));
});

test('a run that stopped at its cap goes on with a larger one only', async () => {
  const capped = ['--epsilon', '0.02,0.04', '--first', '200', '--id', 'capped', '--json', '--max-usd'];
  expect(JSON.parse((await submit(...capped, '0.001')).stdout)).toMatchObject({ kind: 'started' });
  const stopped = await json('watch', 'capped', '--interval', '0.2');
  expect(stopped).toMatchObject({ code: 3, answer: { problems: [expect.stringContaining('its cap of $0.001')] } });
  expect(JSON.parse((await submit(...capped, '0.001')).stdout)).toMatchObject({ kind: 'ended', capped: true });
  expect(JSON.parse((await submit(...capped, '5')).stdout)).toMatchObject({ kind: 'resumed', uploaded: [] });
  const done = await json('watch', 'capped', '--interval', '0.2');
  expect(done).toMatchObject({ code: 0, answer: { status: 'done', missing: 0, unknownReasons: {} } });
  expect((await json('runs', '--limit', '1')).answer.runs).toMatchObject([{ run: 'capped', status: 'done' }]);
});

test.each(['SIGTERM', 'SIGKILL'] as const)('a run goes on after the server was ended by %s', async (signal) => {
  const id = `interrupted-${signal}`;
  await submit('--first', '300', '--seed', '1', '--id', id);
  await underWay(id);
  const { code, stderr } = await stopServer(signal);
  expect(code).toBe(signal === 'SIGTERM' ? 0 : null);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(await client('runs')).toMatchObject({ code: 3, stderr: expect.stringContaining('cannot be reached') });
  await startServer();
  expect(server.output().stderr).toContain(`execution ${id} was interrupted and goes on`);
  expect((await client('watch', id, '--interval', '0.2')).code).toBe(0);
  expect((await fetched(id)).verdicts).toEqual(await verdictsOfRun('--first', '300', '--seed', '1'));
});

describe('uploaded models', () => {
  const put = async (Key: string, Body: string | Uint8Array) => {
    const s3 = new S3Client(aws());
    await s3.send(new PutObjectCommand({ Bucket: localBucket, Key, Body }));
    s3.destroy();
  };
  const listed = async (): Promise<{ readonly run: string; readonly status: string }[]> =>
    (await json('runs', '--limit', '1000')).answer.runs.filter(({ run }: { run: string }) =>
      run.startsWith('nightly-'),
    );

  beforeAll(async () => {
    const uploaded = JSON.parse((await submit('--first', '10', '--json')).stdout);
    const request = JSON.parse(readFileSync(path.join(root, 'runs', uploaded.run, 'request.json'), 'utf8'));
    const policy = {
      version: 1,
      models: 'models/digits-*.onnx',
      dataset: request.dataset,
      epsilons: ['0.01'],
      first: 60,
    };
    await put('policies/nightly.json', JSON.stringify({ ...policy, workers: 2 }));
  });

  test('start one run, although put twice', async () => {
    await put('models/digits-1.onnx', readFileSync(model));
    await put('models/digits-1.onnx', readFileSync(model));
    for (const begun = Date.now(); (await listed()).length === 0; ) expect(Date.now() - begun).toBeLessThan(30_000);
    const [{ run }] = await listed();
    expect((await client('watch', run, '--interval', '0.2')).code).toBe(0);
    expect(await listed()).toHaveLength(1);
  });

  test('that cannot be read end as a failure that says why', async () => {
    await put('models/digits-cut.onnx', readFileSync(model).subarray(0, 2000));
    for (const begun = Date.now(); (await listed()).length === 1; ) expect(Date.now() - begun).toBeLessThan(30_000);
    const [{ run }] = await listed();
    const watched = await client('watch', run, '--interval', '0.2');
    expect(watched).toMatchObject({ code: 2, stderr: expect.stringContaining('is not an ONNX file, or is cut short') });
    expect((await json('runs', '--status', 'failed')).answer.runs).toMatchObject([{ run }]);
  });

  test('that no policy is about are recorded', async () => {
    await put('models/other.onnx', readFileSync(model));
    const about = () => readFileSync(path.join(root, 'events.jsonl'), 'utf8');
    await until(() => about().includes('no policy is about models/other.onnx'), 'the event');
  });
});

test('the files of the root are the objects', async () => {
  const s3 = new S3Client(aws());
  const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: localBucket, Key: 'models/other.onnx' }));
  expect(ContentLength).toBe(readFileSync(path.join(root, 'models/other.onnx')).length);
  s3.destroy();
});

test('a root is served once, also of servers that start at the same moment after one was killed', async () => {
  const other = path.join(folder, 'other');
  mkdirSync(path.join(other, '%serve'), { recursive: true });
  writeFileSync(path.join(other, '%serve/server.pid'), '999999999');
  const servers = [1, 2, 3].map(() => startCommand(main, ['serve', '--root', other, '--port', '0']));
  await until(() => servers.filter((each) => each.running()).length === 1, 'the end of two of three servers');
  const [winner] = servers.filter((each) => each.running());
  await until(() => winner.output().stdout.includes('Serving'), 'the endpoint');
  winner.kill('SIGINT');
  const ended = await Promise.all(servers.map((each) => each.ended));
  expect(ended.map(({ code }) => code).sort()).toEqual([0, 2, 2]);
  expect(ended.filter(({ stderr }) => stderr.includes('is served by another process'))).toHaveLength(2);
  expect(readdirSync(path.join(other, '%serve')).filter((name) => name.startsWith('server.pid'))).toEqual([]);
});
