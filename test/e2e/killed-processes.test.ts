import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder as temporaryName } from '../../lib/storage/disk-names';
import { fileStorage } from '../../lib/storage/files';
import { runLocally } from '../../lib/workflow/local';
import { createPool } from '../../lib/workflow/pool/pool';
import { problemsAfter, type Verdicts, verdictsOf } from '../faults/aftermath';
import { builtCommand } from '../support/command';
import { temporaryFolder } from '../support/folder';
import { disturb, processFaults } from './killed-faults';
import { childrenOf, digits, reportIn, roundIn, startCommand, until } from './processes';

const { main, worker } = builtCommand();
const folder = temporaryFolder();
const asked = ['--model', path.join(digits, 'fc.onnx'), '--data', path.join(digits, 'digits-test.npz')];
const run = ['run', ...asked, '--epsilon', '0.01,0.03', '--seed', '3', '--workers', '2', '--out'];
/** BAVERLY_KILL_SEED=<seed> plays a seed again: the same faults in the same order, at the same numbers of results. */
const seed = Number(process.env.BAVERLY_KILL_SEED ?? Date.now() % 1_000_000);

let truth: Verdicts;
beforeAll(async () => {
  const calm = path.join(folder, 'calm');
  expect(await startCommand(main, [...run, calm]).ended).toMatchObject({ code: 0 });
  truth = await verdictsOf(fileStorage(calm), 'local');
  expect(new Set(truth.values())).toEqual(new Set(['robust', 'not-robust', 'misclassified']));
});

test(`processes killed, hung and without memory, torn files, a second coordinator (BAVERLY_KILL_SEED=${seed})`, async () => {
  const out = path.join(folder, 'disturbed');
  const { injected, problems } = await disturb({ main, out, argv: [...run, out], seed });
  const found = [...problems, ...(await problemsAfter(fileStorage(out), 'local', truth))];
  expect({ BAVERLY_KILL_SEED: seed, found, injected }).toEqual({ BAVERLY_KILL_SEED: seed, found: [], injected });
  const missed = processFaults.filter((fault) => !injected.some((line) => line.startsWith(`${fault} `)));
  expect({ BAVERLY_KILL_SEED: seed, missed }).toEqual({ BAVERLY_KILL_SEED: seed, missed: [] });
  expect(reportIn(out).status).toBe('done');

  // What killed writers left is removed a day later, by whoever writes then.
  const temporary = path.join(out, temporaryName);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  mkdirSync(temporary, { recursive: true });
  writeFileSync(path.join(temporary, 'half'), 'half a bo');
  for (const name of readdirSync(temporary)) utimesSync(path.join(temporary, name), yesterday, yesterday);
  expect((await startCommand(main, ['resume', out]).ended).code).toBe(0);
  // With them the folder, which nobody needs then.
  expect(existsSync(temporary)).toBe(false);
  expect(await problemsAfter(fileStorage(out), 'local', truth)).toEqual([]);
});

/** Children of this process that run the worker. */
const workersHere = (): number[] =>
  childrenOf(process.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(worker));

test('a worker that hangs for ever is killed at its time-out, and its mini-batch is verified again', async () => {
  const out = path.join(folder, 'hung');
  const first = startCommand(main, [...run, out]);
  await until(() => roundIn(out, 0).results >= 2, 'results of the first round');
  first.kill('SIGKILL');
  await first.ended;
  const storage = fileStorage(out);
  const env = { BAVERLY_ROOT: out, BAVERLY_BUCKET: '' };
  const timeoutFor = (name: string): number => (name === 'verify' ? 5 : 300);
  const pool = createPool({ entry: worker, size: 2, timeoutFor, env });
  try {
    const input = { kind: 'run', bucket: 'local', run: 'local' };
    const ended = runLocally({ storage, bucket: 'local', pool, concurrency: 2, input });
    await until(() => workersHere().length === 2 && roundIn(out, 0).results >= 6, 'workers at work');
    const [hung] = workersHere();
    process.kill(hung, 'SIGSTOP');
    expect(await ended).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
    expect(existsSync(`/proc/${hung}`)).toBe(false);
  } finally {
    await pool.close();
  }
  expect(await problemsAfter(storage, 'local', truth)).toEqual([]);
});
