import { decodeForest } from '../group/forest';
import { asPrior } from '../schedule/bandit';
import type { BatchFailure, RunRecord } from '../schedule/records';
import type { RunState } from '../schedule/state';
import type { Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { mendAccounts, writeAccounts } from './accounts';
import { costSoFar } from './cost';
import { learnedKey, treesKey } from './keys';
import { mergeStored } from './merge-stored';
import { writeNextRound } from './next-round';
import { readRecord } from './records';
import { commitState, stateAfter } from './state';

/** What merging a round gave, in numbers. */
export interface MergedTally {
  readonly round: number;
  readonly batches: number;
  /** Mini-batches without usable result. */
  readonly failed: number;
  /** US dollars of the run so far. */
  readonly usd: number;
}

/**
 * Merges a finished round into the run's state and plans the next one. `failures` are the children that the map reports as failed; a
 * planned mini-batch without a result counts as crashed whether or not it is among them. A round that is merged already stays merged as it was.
 *
 * @param onMerged told of a round that this call merged
 * @throws ContradictionError when two mini-batches settled one ball differently; nothing is written then
 */
export async function coordinateRound(
  storage: Storage,
  run: string,
  round: number,
  failures: readonly BatchFailure[],
  now: () => number = Date.now,
  onMerged?: (tally: MergedTally) => void,
): Promise<Round> {
  const record = await readRecord(storage, run);
  const merged = await stateAfter(storage, run, round + 1);
  if (merged) await mendAccounts(storage, record, merged);
  const state = merged ?? (await merge(storage, record, round, failures, onMerged));
  const trees = decodeForest(await storage.get(treesKey(run)));
  const next = await writeNextRound(storage, record, state, trees, now);
  if (next.done) await storage.put(learnedKey(record.modelHash), JSON.stringify(asPrior(state.bandit)));
  return next;
}

/** Merges the results of a round that is not merged yet; gives the state that counts, which is another's where two coordinators did. */
async function merge(
  storage: Storage,
  record: RunRecord,
  round: number,
  failures: readonly BatchFailure[],
  onMerged: ((tally: MergedTally) => void) | undefined,
): Promise<RunState> {
  const seen = await mergeStored(storage, record.id, round, failures);
  const { after, batches, outcomes } = seen;
  const kept = await commitState(storage, record.id, after);
  await writeAccounts(storage, record, seen, kept);
  if (kept === after) {
    const failed = outcomes.filter(({ error }) => error !== undefined).length;
    onMerged?.({ round, batches: batches.length, failed, usd: costSoFar(record, after).usd });
  }
  return kept;
}
