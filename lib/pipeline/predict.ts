import type { Engine } from '../group/engine';
import { predictedClass } from '../group/predicted-class';

const inputsPerCall = 256;

/** The class that the original model gives to each of `length` inputs from `first` on; `centre(i)` is the network input of input i. */
export async function predict(
  { original }: Pick<Engine, 'original'>,
  centre: (input: number) => Float32Array,
  { first = 0, length }: { readonly first?: number; readonly length: number },
): Promise<Int32Array> {
  const predicted = new Int32Array(length);
  const { inputSize, classes } = original;
  for (let start = 0; start < length; start += inputsPerCall) {
    const n = Math.min(inputsPerCall, length - start);
    const points = new Float32Array(n * inputSize);
    for (let i = 0; i < n; i++) points.set(centre(first + start + i), i * inputSize);
    const scores = await original.scores(points, n);
    for (let i = 0; i < n; i++) predicted[start + i] = predictedClass(scores.subarray(i * classes, (i + 1) * classes));
  }
  return predicted;
}
