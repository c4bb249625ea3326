import * as ort from 'onnxruntime-node';

/**
 * The model as the user gave it, run by ONNX Runtime: the judge of predictions and of witnesses. A batch dimension that
 * the file fixes (to 1, say) is respected by calling once per input.
 */
export interface OriginalModel {
  readonly inputSize: number;
  readonly classes: number;
  /** Scores of `count` inputs laid one after the other; returns count * classes values. */
  scores(inputs: Float32Array, count: number): Promise<Float32Array>;
  release(): Promise<void>;
}

/**
 * Loads the model. `inputShape` is its input's shape without batch dimension (from the normal form), `batch` the batch
 * size that the file fixes, or undefined when it is free.
 */
export async function loadOriginal(
  bytes: Uint8Array,
  shape: { readonly input: readonly number[]; readonly batch: number | undefined; readonly classes: number },
): Promise<OriginalModel> {
  const session = await ort.InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const inputSize = shape.input.reduce((a, b) => a * b, 1);
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const call = async (data: Float32Array, count: number): Promise<Float32Array> => {
    const result = await session.run({ [inputName]: new ort.Tensor('float32', data, [count, ...shape.input]) });
    return result[outputName].data as Float32Array;
  };
  return {
    inputSize,
    classes: shape.classes,
    async scores(inputs, count) {
      const step = shape.batch ?? 256;
      const all = new Float32Array(count * shape.classes);
      for (let start = 0; start < count; start += step) {
        const n = Math.min(step, count - start);
        all.set(await call(inputs.slice(start * inputSize, (start + n) * inputSize), n), start * shape.classes);
      }
      return all;
    },
    release: () => session.release(),
  };
}
