import * as ort from 'onnxruntime-node';
import { BadInputError, messageOf } from '../errors';
import { type ModelFile, readNetwork } from './read';

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

/** Inputs per call where the file leaves the batch free. */
const freeBatch = 256;

/**
 * Loads the model. `input` is its input's shape without batch dimension (from the normal form), `batch` the batch
 * size that the file fixes, or undefined when it is free.
 *
 * A file with a free batch may still hold a shape with batch 1 written into it, or let the inputs of a batch influence
 * each other; two trial inputs, together and one by one, tell, and such a model is called once per input.
 *
 * @throws BadInputError when ONNX Runtime does not accept the file.
 */
export async function loadOriginal(
  bytes: Uint8Array,
  shape: { readonly input: readonly number[]; readonly batch: number | undefined; readonly classes: number },
  subject = 'model',
): Promise<OriginalModel> {
  const session = await openSession(bytes, subject);
  const inputSize = shape.input.reduce((a, b) => a * b, 1);
  const run = runner(session, shape.input, shape.classes);
  const batch = shape.batch ?? ((await sharesNoBatch(run, inputSize, shape.classes)) ? freeBatch : 1);
  const isFixed = shape.batch !== undefined;
  return {
    inputSize,
    classes: shape.classes,
    async scores(inputs, count) {
      if (inputs.length !== count * inputSize) {
        throw new RangeError(`${count} inputs of ${inputSize} values expected, not ${inputs.length} values`);
      }
      const all = new Float32Array(count * shape.classes);
      for (let start = 0; start < count; start += batch) {
        const n = Math.min(batch, count - start);
        const part = inputs.slice(start * inputSize, (start + n) * inputSize);
        const scores = await run(isFixed && n < batch ? padded(part, batch * inputSize) : part, isFixed ? batch : n);
        all.set(scores.subarray(0, n * shape.classes), start * shape.classes);
      }
      return all;
    },
    release: () => session.release(),
  };
}

/** Reads a model file both ways: its normal form, and the original to judge by. */
export async function loadModel(
  bytes: Uint8Array,
  subject = 'model',
): Promise<{ file: ModelFile; original: OriginalModel }> {
  const file = readNetwork(bytes, subject);
  const { inputShape, classes } = file.network;
  const original = await loadOriginal(bytes, { input: inputShape, batch: file.batch, classes }, subject);
  return { file, original };
}

async function openSession(bytes: Uint8Array, subject: string): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  } catch (error) {
    throw new BadInputError(subject, [`ONNX Runtime does not accept the model: ${messageOf(error)}`], { cause: error });
  }
}

type Run = (data: Float32Array, count: number) => Promise<Float32Array>;

/** One call of the session; the file's own input rank tells whether there is a batch dimension. */
function runner(session: ort.InferenceSession, input: readonly number[], classes: number): Run {
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const [metadata] = session.inputMetadata;
  const hasBatch = !metadata.isTensor || metadata.shape.length > input.length;
  return async (data, count) => {
    const dims = hasBatch ? [count, ...input] : [...input];
    const result = await session.run({ [inputName]: new ort.Tensor('float32', data, dims) });
    const scores = result[outputName].data as Float32Array;
    if (scores.length !== count * classes) {
      throw new RangeError(`the model gave ${scores.length} scores for ${count} inputs and ${classes} classes`);
    }
    return scores;
  };
}

/** Whether two inputs get the same scores (up to rounding) in one call as in two. */
async function sharesNoBatch(run: Run, inputSize: number, classes: number): Promise<boolean> {
  const first = Float32Array.from({ length: inputSize }, (_, i) => Math.abs(Math.sin(i + 1)));
  const second = Float32Array.from({ length: inputSize }, (_, i) => Math.abs(Math.cos(3 * i)));
  const together = new Float32Array(2 * inputSize);
  together.set(first);
  together.set(second, inputSize);
  const single = [...(await run(first, 1)), ...(await run(second, 1))];
  try {
    const both = await run(together, 2);
    const scale = Math.max(1e-3, ...single.map(Math.abs));
    return single.length === 2 * classes && single.every((score, i) => Math.abs(score - both[i]) <= 1e-4 * scale);
  } catch {
    return false;
  }
}

function padded(values: Float32Array, length: number): Float32Array {
  const result = new Float32Array(length);
  result.set(values);
  return result;
}
