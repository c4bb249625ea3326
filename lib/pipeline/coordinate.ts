import { decodeForest } from '../group/forest';
import { type BatchSummary, batchSummarySchema } from '../report/record';
import { asPrior } from '../schedule/bandit';
import { type BatchOutcome, mergeRound } from '../schedule/merge';
import {
  type BatchFailure,
  type BatchResult,
  batchResultSchema,
  type MiniBatch,
  miniBatchSchema,
  type RunRecord,
} from '../schedule/records';
import type { RunState } from '../schedule/state';
import { decodeState } from '../schedule/state-file';
import type { Storage } from '../storage/storage';
import { problemsOfCause } from '../workflow/cause';
import type { Round } from '../workflow/events';
import { costSoFar } from './cost';
import { keptOutcomes } from './kept-outcomes';
import { learnedKey, ledgerKey, outcomesKey, planKey, resultsPrefix, stateKey, treesKey } from './keys';
import { ledgerLines } from './ledger';
import { writeNextRound } from './next-round';
import { readJson, readLines, readRecord, toLines } from './records';
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
  const state =
    (await stateAfter(storage, run, round + 1)) ?? (await merge(storage, record, round, failures, onMerged));
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
  const run = record.id;
  const before = decodeState(await storage.get(stateKey(run, round)));
  const batches = await readLines(storage, planKey(run, round), miniBatchSchema);
  const { results, unreadable } = await readResults(storage, run, round);
  const failed = [...failures, ...unreadable];
  const { state, outcomes } = mergeRound(before, batches, results, failed);

  const writeLedger = (after: RunState): Promise<void> =>
    storage.put(ledgerKey(run, round), toLines(ledgerLines(before, after)));
  const writeOutcomes = (of: readonly BatchOutcome[]): Promise<void> =>
    storage.put(outcomesKey(run, round), toLines(summaries(record, batches, of, failed)));
  await writeOutcomes(outcomes);
  await writeLedger(state);
  const kept = await commitState(storage, run, state);
  if (kept !== state) {
    await writeOutcomes(keptOutcomes(kept, state, batches, outcomes));
    await writeLedger(kept);
  } else {
    const lost = outcomes.filter(({ error }) => error !== undefined).length;
    onMerged?.({ round, batches: batches.length, failed: lost, usd: costSoFar(record, state).usd });
  }
  return kept;
}

const parallel = 16;

async function readResults(
  storage: Storage,
  run: string,
  round: number,
): Promise<{ results: BatchResult[]; unreadable: BatchFailure[] }> {
  const results: BatchResult[] = [];
  const unreadable: BatchFailure[] = [];
  const prefix = resultsPrefix(run, round);
  const objects = await storage.list(prefix);
  for (let start = 0; start < objects.length; start += parallel) {
    await Promise.all(
      objects.slice(start, start + parallel).map(async ({ key }) => {
        try {
          results.push(await readJson(storage, key, batchResultSchema));
        } catch (error) {
          const id = key.slice(prefix.length).replace(/\.json$/, '');
          unreadable.push({
            id,
            error: 'UnreadableResult',
            cause: error instanceof Error ? error.message : String(error),
          });
        }
      }),
    );
  }
  return { results, unreadable };
}

function summaries(
  record: RunRecord,
  batches: readonly MiniBatch[],
  outcomes: readonly BatchOutcome[],
  failed: readonly BatchFailure[],
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
