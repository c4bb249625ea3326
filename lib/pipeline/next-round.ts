import type { Forest } from '../group/forest';
import { planRound } from '../schedule/plan-round';
import type { RunRecord } from '../schedule/records';
import type { RunState } from '../schedule/state';
import { encodeState } from '../schedule/state-file';
import type { Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { planKey, stateKey } from './keys';
import { toLines } from './records';

/**
 * Stores the state after a round and plans the next one. Both are functions of what is stored already, so doing it again after a crash
 * writes the same again.
 */
export async function writeNextRound(
  storage: Storage,
  record: RunRecord,
  state: RunState,
  trees: Forest,
): Promise<Round> {
  const { id, request } = record;
  const { batches, long } = planRound(state, trees, {
    run: id,
    mode: request.mode,
    secondsPerBall: request.secondsPerBall,
    seed: request.seed,
    workers: request.workers,
  });
  await storage.put(stateKey(id, state.round), encodeState(state));
  const done = batches.length === 0;
  const key = done ? '' : planKey(id, state.round);
  if (!done) await storage.put(key, toLines(batches));
  return { number: state.round, planKey: key, batches: batches.length, maxConcurrency: request.workers, long, done };
}
