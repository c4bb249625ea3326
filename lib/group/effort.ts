/** How hard one attempt at a ball tries. */
export interface Effort {
  /** Whether bounds are computed: not where an earlier attempt already has, since bounds are deterministic. */
  readonly bound: boolean;
  /** Starts of the attack per ball, and its steps. */
  readonly restarts: number;
  readonly steps: number;
  /** How soon the attack gives up a start (lib/attack/pgd.ts); the last attempt never does. */
  readonly patience: number;
  /** Share of the time per ball that the search may take; 0: no search. The shares of all attempts add up to 1. */
  readonly searchShare: number;
}

const levels: readonly Omit<Effort, 'bound'>[] = [
  // Most balls need no more than this; the rest is known after it.
  { restarts: 3, steps: 20, patience: 10, searchShare: 0 },
  { restarts: 3, steps: 40, patience: 30, searchShare: 0.25 },
  { restarts: 20, steps: 100, patience: Number.POSITIVE_INFINITY, searchShare: 0.75 },
];

/** The effort of an attempt (1, 2, ...). A `retry` follows a crash: nothing is known of its balls yet. */
export function effortOf(attempt: number, kind: 'first' | 'rest' | 'suspect' | 'retry'): Effort {
  const level = levels[Math.min(attempt, levels.length) - 1];
  return { ...level, bound: kind === 'first' || kind === 'retry' };
}
