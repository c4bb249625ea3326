import type { BatchOutcome } from '../schedule/merge';
import { unpackIds } from '../schedule/packed';
import type { MiniBatch } from '../schedule/records';
import { ballAt, queues, type RunState, statuses } from '../schedule/state';

const [robust, notRobust] = [statuses.indexOf('robust'), statuses.indexOf('not-robust')];
const retry = queues.indexOf('retry');

/**
 * What became of a round's mini-batches in the state that counts, for a coordinator that merged the round too and had seen other results: of
 * mini-batches whose balls both states hold alike its own outcomes, of others what the state says.
 */
export function keptOutcomes(
  kept: RunState,
  own: RunState,
  batches: readonly MiniBatch[],
  outcomes: readonly BatchOutcome[],
): BatchOutcome[] {
  return batches.map((batch, i) => {
    const balls = Array.from(unpackIds(batch.inputs), (input) => ballAt(kept, input, batch.epsilon));
    const isSame = (ball: number): boolean =>
      kept.status[ball] === own.status[ball] && kept.queue[ball] === own.queue[ball];
    if (balls.every(isSame)) return outcomes[i];
    const count = (status: number): number => balls.filter((ball) => kept.status[ball] === status).length;
    const settled = { robust: count(robust), notRobust: count(notRobust) };
    const { error: _, ...outcome } = outcomes[i];
    const isLate = balls.some((ball) => ![robust, notRobust].includes(kept.status[ball]) && kept.queue[ball] === retry);
    return {
      ...outcome,
      ...settled,
      open: balls.length - settled.robust - settled.notRobust,
      ...(isLate && { error: 'Late: its result came after the round was merged' }),
    };
  });
}
