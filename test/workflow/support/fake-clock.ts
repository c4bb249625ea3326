import type { Clock } from '../../../lib/workflow/interpreter/clock';

/** Time that passes only by `advance` or by sleeping, which takes no real time. `slept` lists the sleeps in seconds. */
export function fakeClock(): Clock & { readonly slept: number[]; advance(milliseconds: number): void } {
  let time = Date.parse('2026-11-20T02:00:00Z');
  const deadlines = new Set<{ readonly at: number; readonly expire: () => void }>();
  const slept: number[] = [];
  const advance = (milliseconds: number) => {
    time += milliseconds;
    for (const deadline of deadlines) {
      if (deadline.at > time) continue;
      deadlines.delete(deadline);
      deadline.expire();
    }
  };
  return {
    slept,
    advance,
    now: () => time,
    sleep: async (milliseconds, signal) => {
      signal.throwIfAborted();
      slept.push(milliseconds / 1000);
      advance(milliseconds);
    },
    deadline: (milliseconds, expire) => {
      const deadline = { at: time + milliseconds, expire };
      deadlines.add(deadline);
      return () => deadlines.delete(deadline);
    },
  };
}
