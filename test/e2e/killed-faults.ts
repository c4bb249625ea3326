import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, random, shuffled } from '../../lib/random';
import { temporaryFolder } from '../../lib/storage/disk-names';
import { childrenOf, roundIn, type Started, startCommand, until } from './processes';

/** What happens to the processes and files of a real run. */
export const processFaults = [
  'worker killed',
  'worker hung, then killed',
  'worker hung, then goes on',
  'worker out of memory',
  'run killed',
  'run killed, a result torn',
  'run killed, a write torn',
  'run hung for a while',
  'delivered twice',
] as const;
export type ProcessFault = (typeof processFaults)[number];

export interface DisturbedRun {
  readonly main: string;
  /** Folder of the run. */
  readonly out: string;
  /** Arguments that start it. */
  readonly argv: readonly string[];
  readonly seed: number;
}

export interface Disturbance {
  readonly injected: readonly string[];
  /** Problems of the processes themselves: an exit that is neither the end of the run nor by a fault. */
  readonly problems: readonly string[];
}

const processes = 2;
/** More than any run needs. */
const mostStarts = 60;

/**
 * Runs a run to its end while every fault is injected twice, in an order and at moments (counted in results on disk) drawn from the seed. Whenever
 * no process of the run is left, `resume` goes on with it.
 */
export async function disturb({ main, out, argv, seed }: DisturbedRun): Promise<Disturbance> {
  const rng = random(seed);
  // All of them once before any comes again: a fast machine may end the run before the last.
  const order = [1, 2].flatMap(() => [...shuffled(processFaults.length, rng)].map((k) => processFaults[k]));
  const running = new Set<Started>();
  const injected: string[] = [];
  const problems: string[] = [];
  const seen = new Set<number>();
  let starts = 0;
  let done = false;

  const start = (begin: readonly string[]): void => {
    const started = startCommand(main, begin);
    starts++;
    running.add(started);
    void started.ended.then(({ code, stderr }) => {
      running.delete(started);
      if (code === 0) done = true;
      else if (code !== null && code !== 3) problems.push(`exit code ${code}: ${stderr}`);
      if (/\n\s+at /.test(stderr)) problems.push(`a stack trace: ${stderr}`);
    });
  };
  const goOn = (): void => start(['resume', out, '--workers', String(processes)]);

  start(argv);
  for (const [i, fault] of order.entries()) {
    // At least one further result between two faults: each finds the run at work. The first of each kind come quickly, so that the run has results left for all.
    const goal = resultsIn(out) + 1 + rng.int(i < processFaults.length ? 3 : 6);
    const [which, milliseconds] = [rng.uniform(), 100 + rng.int(400)];
    while (!done && resultsIn(out) < goal) {
      if (running.size === 0 && starts < mostStarts) goOn();
      await delay(5);
      if (starts >= mostStarts) throw new Error(`the run was started ${starts} times: ${problems.join('; ')}`);
    }
    const victim = [...running][Math.floor(which * running.size)];
    if (done || victim === undefined) break;
    injected.push(`${fault} after ${resultsIn(out)} results`);
    for (const pid of childrenOf(victim.pid)) seen.add(pid);
    await inject(fault, { victim, out, which, milliseconds, rng, goOn });
  }
  while (!done || running.size > 0) {
    if (running.size === 0) {
      if (starts >= mostStarts) throw new Error(`the run was started ${starts} times: ${problems.join('; ')}`);
      goOn();
    }
    await Promise.race([...running].map(({ ended }) => ended));
  }
  await until(() => [...seen].every((pid) => !existsSync(`/proc/${pid}`)), 'the end of the workers').catch(() => {
    problems.push('workers outlive the run');
  });
  return { injected, problems };
}

interface Moment {
  readonly victim: Started;
  readonly out: string;
  /** In [0, 1). */
  readonly which: number;
  readonly milliseconds: number;
  readonly rng: Random;
  /** Starts a process that goes on with the run. */
  readonly goOn: () => void;
}

async function inject(fault: ProcessFault, moment: Moment): Promise<void> {
  const { victim, out, which, milliseconds, goOn } = moment;
  const workers = childrenOf(victim.pid);
  const worker = workers[Math.floor(which * workers.length)];
  switch (fault) {
    case 'worker killed':
      return send(worker, 'SIGKILL');
    case 'worker hung, then killed':
    case 'worker hung, then goes on':
      send(worker, 'SIGSTOP');
      await delay(milliseconds);
      return send(worker, fault === 'worker hung, then killed' ? 'SIGKILL' : 'SIGCONT');
    case 'worker out of memory':
      return outOfMemory(worker, milliseconds);
    case 'run hung for a while':
      victim.kill('SIGSTOP');
      await delay(milliseconds);
      victim.kill('SIGCONT');
      return;
    case 'delivered twice':
      return goOn();
    default:
      victim.kill('SIGKILL');
      await victim.ended;
      if (fault === 'run killed, a result torn') tearResult(out, moment.rng);
      if (fault === 'run killed, a write torn') tearWrite(out, moment.rng);
  }
}

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch (error) {
    // Of the outer realm, where jest's sandbox has errors of its own: no instanceof.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** No byte of address space beyond what it has, for a while: allocations fail in V8 and ONNX Runtime alike. */
async function outOfMemory(pid: number | undefined, milliseconds: number): Promise<void> {
  if (pid === undefined) return;
  const limit = (bytes: string) => spawnSync('prlimit', ['--pid', String(pid), `--as=${bytes}:`]).error;
  const error = limit('1');
  if (error !== undefined) throw error;
  await delay(milliseconds);
  limit('unlimited');
}

/** The number of the round under way; -1 before the first. */
function roundUnderWay(out: string): number {
  const folder = path.join(out, 'runs/local/state');
  return existsSync(folder) ? Math.max(-1, ...readdirSync(folder).map((name) => Number.parseInt(name, 10))) : -1;
}

function resultsIn(out: string): number {
  let results = 0;
  for (let round = roundUnderWay(out); round >= 0; round--) results += roundIn(out, round).results;
  return results;
}

/** Half of a result of the round under way, as a disk may have it that lost power. */
function tearResult(out: string, rng: Random): void {
  const folder = path.join(out, 'runs/local/rounds', String(roundUnderWay(out)), 'results');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  if (names.length === 0) return;
  const file = path.join(folder, names.sort()[rng.int(names.length)]);
  truncateSync(file, Math.floor(statSync(file).size / 2));
}

/** Half of a body under a temporary name: what a writer leaves that is killed between two blocks. */
function tearWrite(out: string, rng: Random): void {
  const folder = path.join(out, temporaryFolder);
  mkdirSync(folder, { recursive: true });
  const state = readFileSync(path.join(out, 'runs/local/run.json'));
  writeFileSync(path.join(folder, randomUUID()), state.subarray(0, rng.int(state.length)));
}
