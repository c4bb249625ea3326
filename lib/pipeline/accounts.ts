/**
 * The accounts of a run: its ledger, and each round's table of mini-batches. Both follow from the states that are stored, and are written
 * after them: a coordinator that was given up and goes on later may have seen other results than the one that counts, so what it writes
 * before its state is known to count might stay. A coordinator that dies between the two leaves a round without accounts; whoever
 * goes on with the run writes them (`mendAccounts`). Whoever writes them, the ledger is the same byte by byte.
 */
import { type BatchSummary, batchSummarySchema } from '../report/record';
import type { BatchOutcome } from '../schedule/merge';
import type { BatchFailure, RunRecord } from '../schedule/records';
import type { RunState } from '../schedule/state';
import type { Storage } from '../storage/storage';
import { problemsOfCause } from '../workflow/cause';
import { keptOutcomes } from './kept-outcomes';
import { ledgerKey, outcomesKey } from './keys';
import { ledgerLines } from './ledger';
import { mergeStored, type StoredRound } from './merge-stored';
import { toLines } from './records';

/**
 * Writes the accounts of a round.
 *
 * @param kept the stored state after the round
 */
export async function writeAccounts(
  storage: Storage,
  record: RunRecord,
  seen: StoredRound,
  kept: RunState,
): Promise<void> {
  const { round, before, after, batches, outcomes } = seen;
  await storage.put(ledgerKey(record.id, round), toLines(ledgerLines(before, kept)));
  const counted = kept === after ? outcomes : keptOutcomes(kept, after, batches, outcomes);
  // The last of what is written: a round that has it has all.
  await storage.putIfAbsent(outcomesKey(record.id, round), toLines(summaries(record, seen, counted)));
}

/** Writes the ledger of what was known before the first round. */
export async function writeFirstAccounts(storage: Storage, run: string, first: RunState): Promise<void> {
  await storage.put(ledgerKey(run, 'plan'), toLines(ledgerLines(undefined, first)));
}

/** Writes the accounts that led to a stored state, where they are missing. Those of rounds before are there: nobody goes on without them. */
export async function mendAccounts(storage: Storage, record: RunRecord, state: RunState): Promise<void> {
  const { id } = record;
  const round = state.round - 1;
  const last = round < 0 ? ledgerKey(id, 'plan') : outcomesKey(id, round);
  if ((await storage.list(last)).some(({ key }) => key === last)) return;
  if (round < 0) await writeFirstAccounts(storage, id, state);
  else await writeAccounts(storage, record, await mergeStored(storage, id, round, []), state);
}

function summaries(
  record: RunRecord,
  { batches, failed }: StoredRound,
  outcomes: readonly BatchOutcome[],
): BatchSummary[] {
  const causes = new Map(failed.map((failure) => [failure.id, failure]));
  return batches.map(({ id, round, kind, epsilon, label, size }, i) => {
    const { robust, notRobust, open, cpuSeconds, error } = outcomes[i];
    return batchSummarySchema.parse({
      id,
      round,
      kind,
      epsilon: record.request.epsilons[epsilon].text,
      ...(typeof label === 'number' && { label }),
      size,
      robust,
      notRobust,
      open,
      cpuSeconds,
      ...(error !== undefined && { error: readable(error, causes.get(id)) }),
    });
  });
}

/** The cause of a Lambda's failure is JSON; people read the message in it. */
function readable(error: string, failure: BatchFailure | undefined): string {
  if (failure === undefined || failure.cause === '') return error;
  return error.replace(failure.cause, () => problemsOfCause(failure).join('; '));
}
