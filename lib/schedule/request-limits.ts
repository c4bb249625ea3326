import { dataSetLimits } from '../dataset/limits';

/**
 * The most that may be asked of a run, whoever writes its request or policy: what multiplies its cost has a limit, so that a slip of the
 * pen costs dollars and not thousands of them. What a run may cost in all is for `maxUsd` to say.
 */
export const requestLimits = {
  /** All balls are verified at each. */
  radii: 100,
  /** Of one ball, over all attempts; an hour of `verify` is $0.09. */
  secondsPerBall: 3600,
  /** Mini-batches at the same time; a Distributed Map runs no more children. */
  workers: 10_000,
  /** Inputs times radii. */
  balls: dataSetLimits.balls,
} as const;

/** Members of a mini-batch: the largest size that is tried (bandit.ts). */
export const mostMembers = 256;

/** What is said of a value above its limit, wherever it was written. */
export const limitTold = {
  radii: `at most ${requestLimits.radii} radii: verify others in a run of their own`,
  secondsPerBall: `at most ${requestLimits.secondsPerBall} seconds: what takes longer stays unknown`,
  workers: `at most ${requestLimits.workers} at the same time`,
} as const;

/** What is wrong with a run of so many inputs at so many radii, if anything. */
export function ballsProblem(inputs: number, radii: number): string | undefined {
  const balls = inputs * radii;
  if (balls <= requestLimits.balls) return undefined;
  return (
    `${inputs} inputs at ${radii} radii are ${balls} balls, of which a run has at most ${requestLimits.balls}: ` +
    'verify fewer at once (first), or each radius in a run of its own'
  );
}
