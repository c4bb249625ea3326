import type { DataSet } from '../../lib/dataset/dataset';
import { defaultPreprocessing } from '../../lib/dataset/preprocess';
import { writeRecords } from '../../lib/dataset/records';
import { loadModel } from '../../lib/network/original';
import { requestKey } from '../../lib/pipeline/keys';
import type { RunRequest } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import { randomMlp, uniform } from './models';

/** A small classifier with inputs that it classifies as labelled. */
export interface TinySet {
  readonly model: Uint8Array;
  /** [count][size], in [0, 1] */
  readonly inputs: readonly Float32Array[];
  readonly labels: readonly number[];
}

/** `wrong` inputs, the first ones, have another label than the class that the model gives. */
export async function tinySet({ count = 60, sizes = [4, 8, 8, 3], seed = 182, wrong = 0 } = {}): Promise<TinySet> {
  const model = randomMlp(sizes, seed);
  const draw = uniform(seed + 1);
  const inputs = Array.from({ length: count }, () => draw(sizes[0], 0.5).map((value) => Math.fround(value + 0.5)));
  const { original } = await loadModel(model);
  const classes = sizes[sizes.length - 1];
  const labels: number[] = [];
  for (const [i, input] of inputs.entries()) {
    const scores = await original.scores(input, 1);
    labels.push((scores.indexOf(Math.max(...scores)) + (i < wrong ? 1 : 0)) % classes);
  }
  await original.release();
  return { model, inputs, labels };
}

/** As a CSV file, the label first. */
export function csvOf({ inputs, labels }: Pick<TinySet, 'inputs' | 'labels'>): string {
  return inputs.map((input, i) => `${[labels[i], ...input].join(',')}\n`).join('');
}

/** As a data set in memory. */
export function dataSetOf({ inputs, labels }: Pick<TinySet, 'inputs' | 'labels'>): DataSet {
  return {
    count: inputs.length,
    shape: [inputs[0].length],
    values: Float32Array.from(inputs.flatMap((input) => [...input])),
    labels: Int32Array.from(labels),
  };
}

/** Puts model, data set and request of a run where the functions find them. */
export async function requestRun(
  storage: Storage,
  run: string,
  set: TinySet,
  rest: Partial<RunRequest> = {},
): Promise<RunRequest> {
  const dataset = dataSetOf(set);
  const request: RunRequest = {
    version: 1,
    model: 'models/tiny.onnx',
    dataset: 'datasets/tiny',
    epsilons: [
      { text: '0.02', value: 0.02 },
      { text: '1/10', value: 0.1 },
    ],
    mode: 'batch',
    secondsPerBall: 20,
    seed: 0,
    workers: 2,
    acceptLowAccuracy: false,
    ...rest,
  };
  await storage.put(request.model, set.model);
  await writeRecords(storage, request.dataset, dataset, defaultPreprocessing(dataset), 'tiny');
  await storage.put(requestKey(run), JSON.stringify(request));
  return request;
}
