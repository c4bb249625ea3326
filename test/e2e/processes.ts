import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../../lib/report/record';

export const digits = path.join(__dirname, '../../examples/digits');

export interface Started {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Whether it still runs. */
  running(): boolean;
  /** What it has written so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Starts the command line as a process of its own; `main` is its bundle. */
export function startCommand(main: string, argv: readonly string[]): Started {
  const child = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    pid: child.pid!,
    kill: (signal) => void child.kill(signal),
    running: () => child.exitCode === null && child.signalCode === null,
    output: () => ({ stdout, stderr }),
    ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))),
  };
}

/** Waits until the condition holds; fails after a minute. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const begun = Date.now(); !condition(); ) {
    if (Date.now() - begun > 60_000) throw new Error(`waited for a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Process ids of the children of a process, from /proc. */
export function childrenOf(pid: number): number[] {
  const parentOf = (name: string): number => {
    try {
      // The name of the program, in parentheses, may hold anything; state and parent follow it.
      return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').pop()?.split(' ')[1]);
    } catch {
      return Number.NaN;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

/** How many mini-batches of a round are planned and have a result, in the output folder of a run. */
export function roundIn(folder: string, round: number): { readonly planned: number; readonly results: number } {
  const base = path.join(folder, 'runs/local/rounds', String(round));
  const plan = path.join(base, 'plan.jsonl');
  const results = path.join(base, 'results');
  return {
    planned: existsSync(plan) ? readFileSync(plan, 'utf8').trim().split('\n').length : 0,
    results: existsSync(results) ? readdirSync(results).filter((name) => name.endsWith('.json')).length : 0,
  };
}

export function reportIn(folder: string): Report {
  return JSON.parse(readFileSync(path.join(folder, 'report.json'), 'utf8'));
}

export function verdictsOf({ balls }: Report): string[] {
  return balls.map(({ index, epsilon, verdict }) => `${index} ${epsilon} ${verdict}`);
}

/** Every ball of the run, as a report that is done has to hold them. */
export function ballsOf(inputs: number, epsilons: readonly string[]): string[] {
  return Array.from({ length: inputs }, (_, index) => epsilons.map((epsilon) => `${index} ${epsilon}`)).flat();
}
