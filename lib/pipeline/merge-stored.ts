import { type BatchOutcome, mergeRound } from '../schedule/merge';
import {
  type BatchFailure,
  type BatchResult,
  batchResultSchema,
  type MiniBatch,
  miniBatchSchema,
} from '../schedule/records';
import type { RunState } from '../schedule/state';
import { decodeState } from '../schedule/state-file';
import type { Storage } from '../storage/storage';
import { planKey, resultsPrefix, stateKey } from './keys';
import { readJson, readLines } from './records';

/** A round as one coordinator sees it: what was planned, which results there are, and the state that they give. */
export interface StoredRound {
  readonly round: number;
  readonly before: RunState;
  readonly after: RunState;
  readonly batches: readonly MiniBatch[];
  /** One per mini-batch, in the order of the plan. */
  readonly outcomes: readonly BatchOutcome[];
  /** Mini-batches that are known to have failed, with the reason, those among them whose result cannot be read. */
  readonly failed: readonly BatchFailure[];
}

/**
 * Merges the results of a round, and writes nothing.
 *
 * @param failures the children that the map reports as failed
 * @throws ContradictionError when two mini-batches settled one ball differently
 */
export async function mergeStored(
  storage: Storage,
  run: string,
  round: number,
  failures: readonly BatchFailure[],
): Promise<StoredRound> {
  const before = decodeState(await storage.get(stateKey(run, round)));
  const batches = await readLines(storage, planKey(run, round), miniBatchSchema);
  const { results, unreadable } = await readResults(storage, run, round);
  const failed = [...failures, ...unreadable];
  const { state, outcomes } = mergeRound(before, batches, results, failed);
  return { round, before, after: state, batches, outcomes, failed };
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
