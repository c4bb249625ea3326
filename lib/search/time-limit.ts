/** When to give up: whichever comes first. */
export interface TimeLimit {
  /** Clock time, ms since the epoch. */
  readonly deadline: number;
  /** CPU time of this process, microseconds since its start: what a busy machine does not take away. Without, only the clock counts. */
  readonly cpuEnd?: number;
}

/** The CPU time so many seconds from now. */
export function cpuEndIn(seconds: number): number {
  return cpuMicroseconds() + 1e6 * seconds;
}

export function isOver({ deadline, cpuEnd = Number.POSITIVE_INFINITY }: TimeLimit): boolean {
  return Date.now() > deadline || cpuMicroseconds() > cpuEnd;
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
