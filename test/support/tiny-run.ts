import { loadModel } from '../../lib/network/original';
import { randomMlp, uniform } from './models';

/** A small classifier with inputs that it classifies as labelled. */
export interface TinySet {
  readonly model: Uint8Array;
  /** [count][size], in [0, 1] */
  readonly inputs: readonly Float32Array[];
  readonly labels: readonly number[];
}

/** `wrong` inputs, the first ones, have another label than the class that the model gives. */
export async function tinySet({ count = 60, sizes = [4, 8, 8, 3], seed = 5, wrong = 0 } = {}): Promise<TinySet> {
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
