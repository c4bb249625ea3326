/** How hard one attempt at a ball tries. */
export interface Effort {
  /** Whether bounds are computed: not where an earlier attempt already has, since bounds are deterministic. */
  readonly bound: boolean;
  /** Starts of the attack per ball, and its steps. */
  readonly restarts: number;
  readonly steps: number;
}

const attacks: readonly (readonly [restarts: number, steps: number])[] = [
  [3, 20],
  [9, 60],
  [20, 100],
];

/** The effort of an attempt (1, 2, ...). A `retry` follows a crash: nothing is known of its balls yet. */
export function effortOf(attempt: number, kind: 'first' | 'rest' | 'suspect' | 'retry'): Effort {
  const [restarts, steps] = attacks[Math.min(attempt, attacks.length) - 1];
  return { bound: kind === 'first' || kind === 'retry', restarts, steps };
}
