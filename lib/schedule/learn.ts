import { callSeconds } from '../cost/call';
import { fullPull, type Posterior, type Pull, recordPulls, recordRefinement } from './bandit';
import { labelKey } from './label-beliefs';
import type { MiniBatch } from './records';

/** A mini-batch and what came of it; one that crashed settled nothing in all of its seconds. */
export interface Attempted {
  readonly batch: MiniBatch;
  readonly outcome: { readonly open: number; readonly cpuSeconds: number };
}

/** The bandit's key for a radius: first attempts are learned apart from later ones, whose balls are the hard ones. */
export function banditKey(epsilon: number, attempt: number): string {
  return attempt === 1 ? `${epsilon}` : `${epsilon} later`;
}

/**
 * Teaches the bandit a round: the mini-batches whose size it drew, pooled by arm (see `Pull`), for the radius and for each label, and what the later attempts
 * at a radius' balls cost, which is charged to the first attempts that left them open. A mini-batch is charged `callSeconds` beside its own.
 */
export function learnFrom(
  posterior: Posterior,
  epsilons: readonly number[],
  attempted: readonly Attempted[],
): Posterior {
  let learned = posterior;
  for (const [epsilon, value] of epsilons.entries()) {
    const ofRadius = attempted.filter(({ batch }) => batch.epsilon === epsilon);
    const isFirst = ({ batch }: Attempted): boolean => batch.attempt === 1;
    const later = ofRadius.filter((one) => !isFirst(one));
    const first = ofRadius.filter(isFirst);
    learned = recordPulls(learned, banditKey(value, 1), pooled(first));
    for (const label of new Set(first.map(({ batch }) => batch.label))) {
      if (typeof label !== 'number') continue;
      const ofLabel = first.filter(({ batch }) => batch.label === label);
      learned = recordPulls(learned, labelKey(banditKey(value, 1), label), pooled(ofLabel));
    }
    learned = recordPulls(learned, banditKey(value, 2), pooled(later));
    learned = recordRefinement(learned, banditKey(value, 1), {
      cpuSeconds: later.reduce((sum, { outcome }) => sum + outcome.cpuSeconds + callSeconds, 0),
      balls: later.reduce((sum, { batch }) => sum + (batch.attempt === 2 ? batch.size : 0), 0),
    });
  }
  return learned;
}

/** The drawn mini-batches of each arm, in the order of the plan, added up to pulls of about `pooledBalls` balls. */
function pooled(attempted: readonly Attempted[]): (Pull & { size: number })[] {
  const pulls: (Pull & { size: number })[] = [];
  const growing = new Map<number, Pull & { size: number }>();
  for (const { batch, outcome } of attempted) {
    if (batch.arm === 0) continue;
    const { balls, settled, cpuSeconds } = growing.get(batch.arm) ?? { balls: 0, settled: 0, cpuSeconds: 0 };
    const pull = {
      size: batch.arm,
      balls: balls + batch.size,
      settled: settled + batch.size - outcome.open,
      cpuSeconds: cpuSeconds + outcome.cpuSeconds + callSeconds,
    };
    if (pull.balls < fullPull) {
      growing.set(batch.arm, pull);
    } else {
      growing.delete(batch.arm);
      pulls.push(pull);
    }
  }
  return [...pulls, ...growing.values()];
}
