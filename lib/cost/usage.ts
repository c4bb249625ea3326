import { z } from 'zod';

/**
 * What a run has used so far, in the units that are charged. Counted by the coordinator from plans and results, so that it is a function of
 * what lies in storage.
 */
export const usageSchema = z.strictObject({
  /** Mini-batches of Express and of Standard children; each is a call of a Lambda. */
  shortCalls: z.number().nonnegative(),
  longCalls: z.number().nonnegative(),
  /** Wall seconds of these calls. */
  shortSeconds: z.number().nonnegative(),
  longSeconds: z.number().nonnegative(),
  /** Members of all mini-batches: each is read from the data set. */
  members: z.number().nonnegative(),
  /** Witnesses written. */
  witnesses: z.number().nonnegative(),
  /** Most mini-batches in one round: no more Lambda environments than that start. */
  largestRound: z.number().nonnegative(),
  rounds: z.number().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

export const noUsage: Usage = {
  shortCalls: 0,
  longCalls: 0,
  shortSeconds: 0,
  longSeconds: 0,
  members: 0,
  witnesses: 0,
  largestRound: 0,
  rounds: 0,
};

/** One mini-batch as it is charged. */
export interface ChargedBatch {
  readonly size: number;
  readonly wallSeconds: number;
  readonly witnesses: number;
}

/** The usage with one more round; `long`: its mini-batches ran as Standard children. */
export function addRound(usage: Usage, batches: readonly ChargedBatch[], long: boolean): Usage {
  const sum = (of: (batch: ChargedBatch) => number): number => batches.reduce((total, batch) => total + of(batch), 0);
  const seconds = sum((batch) => batch.wallSeconds);
  return {
    shortCalls: usage.shortCalls + (long ? 0 : batches.length),
    longCalls: usage.longCalls + (long ? batches.length : 0),
    shortSeconds: usage.shortSeconds + (long ? 0 : seconds),
    longSeconds: usage.longSeconds + (long ? seconds : 0),
    members: usage.members + sum((batch) => batch.size),
    witnesses: usage.witnesses + sum((batch) => batch.witnesses),
    largestRound: Math.max(usage.largestRound, batches.length),
    rounds: usage.rounds + 1,
  };
}
