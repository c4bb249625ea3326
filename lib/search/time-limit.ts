/** When to give up: whichever comes first. */
export interface TimeLimit {
  /** Clock time, ms since the epoch. */
  readonly deadline: number;
  /** CPU time, microseconds on `cpuClock`: what a busy machine does not take away. Without, only the clock counts. */
  readonly cpuEnd?: number;
  /** CPU time so far; by default that of this process. */
  readonly cpuClock?: CpuClock;
}

/** CPU time in microseconds. */
export type CpuClock = () => number;

/** The limit among other options, and nothing else. */
export function timeOf({ deadline, cpuEnd, cpuClock }: TimeLimit): TimeLimit {
  return { deadline, ...(cpuEnd !== undefined && { cpuEnd }), ...(cpuClock && { cpuClock }) };
}

export function isOver({ deadline, cpuEnd = Number.POSITIVE_INFINITY, cpuClock = processCpu }: TimeLimit): boolean {
  return Date.now() > deadline || cpuClock() > cpuEnd;
}

/** Milliseconds for which a reading of the clock of the process is good enough: reading it can cost more than a small call. */
const goodFor = 20;

/** CPU time of this process, read anew after some time only: never ahead, and behind by what it used since. */
export function sparingClock(): CpuClock {
  let [read, reading] = [Number.NEGATIVE_INFINITY, 0];
  return () => {
    const now = performance.now();
    if (now - read > goodFor) [read, reading] = [now, processCpu()];
    return reading;
  };
}

/** CPU time of this process. */
export function processCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
