import { parseNpy } from '../dataset/npy';
import { BadInputError } from '../errors';
import type { Engine } from '../group/engine';
import { predictedClass } from '../group/predicted-class';
import { misclassification, violates } from '../region/violation';
import { MissingKeyError, type Storage } from '../storage/storage';

/** A stored counterexample that the original model misclassifies, now and alone. */
export interface ReplayedWitness {
  readonly point: Float32Array;
  readonly predicted: number;
}

/**
 * Reads a stored witness and runs the original model on it; undefined where it is gone, is no input of the model, or is classified
 * as `label`: then nothing is known. Whether it lies in a ball is for the caller to check (`contains`).
 */
export async function replayWitness(
  storage: Storage,
  { original, network }: Pick<Engine, 'original' | 'network'>,
  key: string,
  label: number,
): Promise<ReplayedWitness | undefined> {
  const point = await pointOf(storage, key);
  if (point === undefined || point.length !== original.inputSize) return undefined;
  const scores = await original.scores(point, 1);
  if (!violates(misclassification(label, network.classes), scores)) return undefined;
  return { point, predicted: predictedClass(scores) };
}

async function pointOf(storage: Storage, key: string): Promise<Float32Array | undefined> {
  try {
    const { values } = parseNpy(await storage.get(key), key);
    return values instanceof Float32Array ? values : undefined;
  } catch (error) {
    if (error instanceof MissingKeyError || error instanceof BadInputError) return undefined;
    throw error;
  }
}
