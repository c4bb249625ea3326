import type { RoundPlan } from './plan-round';
import { type RunState, statuses } from './state';

/** Balls settled by a later attempt from which on their times are trusted. */
const fewest = 20;
/** Share of them that an attempt which is not the last waits for. */
const waitedFor = 0.9;
/** Times the time in which that share was settled: balls still to come may be a little harder. */
const margin = 1.5;

/**
 * Seconds within which 90 % of the balls of a radius that a later attempt settled were settled (all their attempts together), half as long
 * again: beyond them an attempt mostly waits for balls that it will not settle. Undefined as long as fewer than 20 were.
 *
 * The quantile is that of the posterior predictive of the time to success under no assumption about its shape: of n exchangeable times,
 * the next one is below the k-th smallest with probability k / (n + 1). Balls given up do not count: the last attempt is never shortened
 * and its times are among these, so that giving up early cannot hide how long success takes.
 */
export function patienceOf(state: RunState, epsilon: number): number | undefined {
  const proven = [statuses.indexOf('robust'), statuses.indexOf('not-robust')];
  const times: number[] = [];
  const end = (epsilon + 1) * state.inputs;
  for (let ball = epsilon * state.inputs; ball < end; ball++) {
    if (state.attempts[ball] > 1 && proven.includes(state.status[ball])) times.push(state.cpu[ball]);
  }
  if (times.length < fewest) return undefined;
  const sorted = Float64Array.from(times).sort();
  return margin * sorted[Math.min(Math.ceil(waitedFor * (sorted.length + 1)), sorted.length) - 1];
}

/**
 * The plan with a limit to the search of each ball whose attempt is neither the first, which does not search, nor its last: what takes longer
 * is handed back and tried again with all that is left of its time, alone or with its like, instead of keeping the others of its mini-batch
 * and the whole round waiting. No ball gets less time than without: only its last attempt decides that it is unknown.
 */
export function withPatience(plan: RoundPlan, state: RunState): RoundPlan {
  const learned = state.epsilons.map((_, epsilon) => patienceOf(state, epsilon));
  const batches = plan.batches.map((batch) => {
    const patience = learned[batch.epsilon];
    const isLimited = batch.attempt > 1 && batch.attempt < state.maxAttempts && batch.kind !== 'retry';
    return patience === undefined || !isLimited ? batch : { ...batch, patience };
  });
  return { ...plan, batches };
}
