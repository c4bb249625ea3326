import type { Forest } from '../group/forest';
import { withinAllowance } from '../schedule/budget';
import { withPatience } from '../schedule/patience';
import { planRound, type RoundPlan } from '../schedule/plan-round';
import type { RunRecord } from '../schedule/records';
import type { RunState } from '../schedule/state';
import type { Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { readCaps, stopAtCap } from './caps';
import { allowanceOf, ratesOf, searchEnd } from './cost';
import { planKey } from './keys';
import { toLines } from './records';

/**
 * Plans the round after a stored state (`commitState`). The plan is a function of what is stored already, so doing it again after a crash
 * writes the same again (under a cap of time, less may be planned then). Where a cap is reached, the round is done with balls still open in
 * the state: the report calls them `unknown (budget)`, and a run that is resumed with a larger cap goes on with them.
 */
export async function writeNextRound(
  storage: Storage,
  record: RunRecord,
  state: RunState,
  trees: Forest,
  now: () => number,
): Promise<Round> {
  const { id, request } = record;
  const { batches, long } = await capped(storage, record, state, now, () =>
    withPatience(
      planRound(state, trees, {
        run: id,
        mode: request.mode,
        secondsPerBall: request.secondsPerBall,
        seed: request.seed,
        workers: request.workers,
      }),
      state,
    ),
  );
  const done = batches.length === 0;
  const key = done ? '' : planKey(id, state.round);
  if (!done) await storage.put(key, toLines(batches));
  return { number: state.round, planKey: key, batches: batches.length, maxConcurrency: request.workers, long, done };
}

/** The plan as far as the caps allow; under a cap of time it says when searches end. */
async function capped(
  storage: Storage,
  record: RunRecord,
  state: RunState,
  now: () => number,
  plan: () => RoundPlan,
): Promise<RoundPlan> {
  const caps = await readCaps(storage, record.id);
  const all = plan();
  if (caps === undefined || all.batches.length === 0) return all;
  const { secondsPerBall } = record.request;
  const left = allowanceOf(caps, record, state, now);
  const cut = withinAllowance(all, state, secondsPerBall, left, ratesOf(record));
  if (cut.batches.length === 0) await stopAtCap(storage, record.id, caps, state.round);
  const until = searchEnd(caps);
  return until === undefined ? cut : { ...cut, batches: cut.batches.map((batch) => ({ ...batch, until })) };
}
