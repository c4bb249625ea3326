import { banditKey } from './learn';
import type { RoundPlan } from './plan-round';
import type { MiniBatch } from './records';
import type { RunState } from './state';

/** What is left to spend; Infinity where nothing caps it. */
export interface Allowance {
  readonly usd: number;
  /** Wall seconds until the run must end. */
  readonly seconds: number;
}

/** What work costs; what a mini-batch costs beside its seconds is in those that were learned. */
export interface Rates {
  readonly usdPerSecond: number;
  readonly usdPerBall: number;
  /** Mini-batches at the same time. */
  readonly workers: number;
}

/**
 * Rounds after which a capped run ends: at 13 events each, and 36 more where every call is retried as often as it may be, they stay below 20,000
 * events of history. A round that a cap cuts is
 * followed by a smaller one; what is expected is learned from each, so a handful is what happens.
 */
export const mostCappedRounds = 400;

/** Seconds that a first attempt at a ball takes as long as nothing is known: it bounds and attacks, but does not search. */
const firstSeconds = 0.5;

/**
 * CPU-seconds that a ball of this attempt is expected to take, from the bandit's pulls, and for later attempts from what all of them
 * together took. Before any is known a later attempt counts half of what it may take.
 */
export function expectedSeconds(state: RunState, epsilon: number, attempt: number, secondsPerBall: number): number {
  const key = state.bandit.keys[banditKey(state.epsilons[epsilon], 1)];
  if (attempt > 1) {
    const later = key?.refinement;
    return later !== undefined && later.balls > 0 ? later.cpuSeconds / later.balls : secondsPerBall / 2;
  }
  const pulls = Object.values(key?.arms ?? {}).flat();
  const balls = pulls.reduce((sum, pull) => sum + pull.balls, 0);
  const seconds = pulls.reduce((sum, pull) => sum + pull.cpuSeconds, 0);
  return balls > 0 ? seconds / balls : Math.min(firstSeconds, secondsPerBall);
}

/**
 * The part of a round that is expected to fit into what is left: the mini-batches with the cheapest balls, in the order of the plan. Empty
 * when none does: the run has reached its cap. A cap of money is one of expectation: a round may cost more than was expected of it, and the next
 * one then gets less, or nothing. Under a cap of time, what is expected to start before the end fits.
 */
export function withinAllowance(
  plan: RoundPlan,
  state: RunState,
  secondsPerBall: number,
  left: Allowance,
  rates: Rates,
): RoundPlan {
  if (left.usd === Number.POSITIVE_INFINITY && left.seconds === Number.POSITIVE_INFINITY) return plan;
  if (state.round >= mostCappedRounds) return { batches: [], long: false };
  const perBall = new Map<string, number>();
  const secondsOf = ({ epsilon, attempt }: MiniBatch): number => {
    const key = `${epsilon} ${attempt}`;
    const known = perBall.get(key) ?? expectedSeconds(state, epsilon, attempt, secondsPerBall);
    perBall.set(key, known);
    return known;
  };
  const cheapestFirst = plan.batches
    .map((batch) => ({ batch, perBall: secondsOf(batch) }))
    .sort((a, b) => a.perBall - b.perBall);
  const taken = new Set<MiniBatch>();
  let usd = 0;
  let work = 0;
  for (const { batch, perBall: each } of cheapestFirst) {
    const seconds = Math.min(each * batch.size, batch.seconds, left.seconds);
    const price = seconds * rates.usdPerSecond + batch.size * rates.usdPerBall;
    // A large one that does not fit leaves its room to smaller ones. What starts in time is ended in time (`MiniBatch.until`).
    if (usd + price > left.usd || work / rates.workers >= left.seconds) continue;
    usd += price;
    work += seconds;
    taken.add(batch);
  }
  const batches = plan.batches.filter((batch) => taken.has(batch));
  return { batches, long: plan.long };
}
