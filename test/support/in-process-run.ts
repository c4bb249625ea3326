import { coordinateRound } from '../../lib/pipeline/coordinate';
import { planKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readLines } from '../../lib/pipeline/records';
import { createVerifier, type Verifier } from '../../lib/pipeline/verify';
import { type BatchFailure, type MiniBatch, miniBatchSchema } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import type { Round } from '../../lib/workflow/events';

export const megabyte = 2 ** 20;

/** The planned mini-batches of a round. */
export function batchesOf(storage: Storage, run: string, { number }: Round): Promise<MiniBatch[]> {
  return readLines(storage, planKey(run, number), miniBatchSchema);
}

/** What happens to a mini-batch; by default it is verified. */
export type Fate = (batch: MiniBatch, verifier: Verifier) => Promise<BatchFailure | undefined>;

const verified =
  (storage: Storage): Fate =>
  async (batch, verifier) => {
    await verifier.verify(storage, batch);
    return undefined;
  };

/** Plans and goes on until nothing is left, one mini-batch after the other; gives the rounds. At most 50. */
export async function runToEnd(storage: Storage, run: string, fate: Fate = verified(storage)): Promise<Round[]> {
  const verifier = createVerifier(256 * megabyte);
  const rounds = [await planRun(storage, run)];
  for (let round = rounds[0]; !round.done; round = rounds[rounds.length - 1]) {
    if (rounds.length > 50) throw new Error('the run does not end');
    const failures: BatchFailure[] = [];
    for (const batch of await batchesOf(storage, run, round)) {
      const failure = await fate(batch, verifier);
      if (failure) failures.push(failure);
    }
    rounds.push(await coordinateRound(storage, run, round.number, failures));
  }
  return rounds;
}

/** Every object of the storage as text, by key. */
export async function contentOf(storage: Storage, prefix = ''): Promise<Record<string, string>> {
  const objects = await storage.list(prefix);
  const entries = await Promise.all(
    objects.map(async ({ key }) => [key, Buffer.from(await storage.get(key)).toString('base64')]),
  );
  return Object.fromEntries(entries);
}
