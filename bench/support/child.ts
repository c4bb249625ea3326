import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a command took, its child processes included. */
export interface Cost {
  readonly exitCode: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Most resident memory of all its processes at one time, sampled; pages that they share count for each of them. */
  readonly peakMemoryBytes: number;
}

/** Milliseconds between two samples of memory. */
const interval = 100;
/** Of `/proc/<pid>/stat`, counted as in proc(5). */
const field = { parent: 4, childrenUserTime: 16, childrenSystemTime: 17, residentPages: 24 };
/** On every Linux architecture that Node runs on, as seen by user space; pages are 4 KiB on x64 and, by default, arm64. */
const [ticksPerSecond, pageBytes] = [100, 4096];

/** Runs a command to its end. Linux only: time and memory of its processes are read from /proc. */
export async function measureCommand(command: string, args: readonly string[]): Promise<Cost> {
  if (process.platform !== 'linux') throw new Error('measures child processes by /proc, which only Linux has');
  const [start, cpuBefore] = [performance.now(), cpuOfChildren()];
  const child = spawn(command, args, { stdio: 'inherit' });
  let peakMemoryBytes = 0;
  const sampler = setInterval(() => {
    peakMemoryBytes = Math.max(peakMemoryBytes, memoryOf(child.pid));
  }, interval);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code ?? -1));
    });
    const wallSeconds = (performance.now() - start) / 1000;
    return { exitCode, wallSeconds, cpuSeconds: cpuOfChildren() - cpuBefore, peakMemoryBytes };
  } finally {
    clearInterval(sampler);
  }
}

/** User and system time of all children that have ended, and of theirs. */
function cpuOfChildren(): number {
  const stat = statOf('self');
  if (stat === undefined) throw new Error('there is no /proc/self/stat');
  return (stat(field.childrenUserTime) + stat(field.childrenSystemTime)) / ticksPerSecond;
}

/** Resident memory of a process and all its descendants. */
function memoryOf(root: number | undefined): number {
  const children = new Map<number, number[]>();
  const pages = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? statOf(name) : undefined;
    if (stat === undefined) continue;
    pages.set(pid, stat(field.residentPages));
    const parent = stat(field.parent);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), pages.get(pid) ?? 0);
  return root === undefined ? 0 : sum(root) * pageBytes;
}

/** Reads numbers of `/proc/<pid>/stat`; undefined for a process that has ended. */
function statOf(pid: string): ((field: number) => number) | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field, the command's name in brackets, may hold spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (index) => Number(fields[index - 3]);
  } catch {
    return undefined;
  }
}
