import { planKey, resultKey } from '../pipeline/keys';
import { readJson, readLines } from '../pipeline/records';
import { lastState } from '../pipeline/state';
import { unpackIds } from '../schedule/packed';
import { batchResultSchema, miniBatchSchema } from '../schedule/records';
import { MissingKeyError, type Storage } from '../storage/storage';
import type { SampledBatch } from './observed';

/** The mini-batches of a run over a sample, from its storage; `inputs`: the sample, by index in the data set. */
export async function readSample(storage: Storage, run: string, inputs: readonly number[]): Promise<SampledBatch[]> {
  const batches: SampledBatch[] = [];
  const rounds = (await lastState(storage, run))?.round ?? 0;
  for (let round = 0; round < rounds; round++) {
    for (const batch of await readLines(storage, planKey(run, round), miniBatchSchema)) {
      const members = Array.from(unpackIds(batch.inputs), (row) => inputs[row]);
      const result = await resultOf(storage, resultKey(run, round, batch.id));
      if (result === undefined) batches.push({ batch, inputs: members });
      else {
        const balls = result.balls.map((ball) => ({ ...ball, input: inputs[ball.input] }));
        batches.push({ batch, inputs: members, result: { ...result, balls } });
      }
    }
  }
  return batches;
}

async function resultOf(storage: Storage, key: string) {
  try {
    return await readJson(storage, key, batchResultSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}
