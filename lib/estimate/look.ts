import type { DataSet, Preprocessing } from '../dataset/dataset';
import { sizeOf } from '../dataset/dataset';
import { pixels } from '../dataset/preprocess';
import { createEngine } from '../group/engine';
import { fingerprintsAt } from '../group/patterns';
import { predict } from '../pipeline/predict';
import { random, shuffled } from '../random';
import { centre } from '../region/ball';
import type { Pool } from './strata';

/** Inputs that are predicted and fingerprinted for the strata: enough for shares of a per cent. */
const mostLookedAt = 5_000;

/** Looks at the first `count` inputs of a data set through a model, or at a random part of them. */
export async function lookAt(
  model: Uint8Array,
  dataset: DataSet,
  preprocessing: Preprocessing,
  count: number,
  seed: number,
): Promise<Pool> {
  const inputs = [...shuffled(count, random(seed, 23)).subarray(0, mostLookedAt)].sort((a, b) => a - b);
  const size = sizeOf(dataset.shape);
  const engine = await createEngine(model, 'model');
  try {
    const { inputShape } = engine.network;
    const point = (row: number): Float32Array => {
      const raw = dataset.values.subarray(inputs[row] * size, (inputs[row] + 1) * size);
      return centre(pixels(raw, preprocessing, inputShape), preprocessing, inputShape);
    };
    const predicted = await predict(engine, point, { length: inputs.length });
    const misclassified = Uint8Array.from(predicted, (k, row) => (k === dataset.labels[inputs[row]] ? 0 : 1));
    const prints = await fingerprintsAt(engine.bounder.programs, inputs.length, point);
    return { labels: dataset.labels.subarray(0, count), inputs, misclassified, prints };
  } finally {
    await engine.release();
  }
}

/** Some inputs of a data set, in the order asked for. */
export function subset({ shape, values, labels }: DataSet, inputs: readonly number[]): DataSet {
  const size = sizeOf(shape);
  const own = values.slice(0, inputs.length * size);
  for (const [row, input] of inputs.entries()) own.set(values.subarray(input * size, (input + 1) * size), row * size);
  return { count: inputs.length, shape, values: own, labels: Int32Array.from(inputs, (input) => labels[input]) };
}
