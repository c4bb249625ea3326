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
 * @throws BadInputError when ONNX Runtime does not accept the file, or a fixed batch mixes its inputs.
 */
export async function loadOriginal(
  bytes: Uint8Array,
  shape: { readonly input: readonly number[]; readonly batch: number | undefined; readonly classes: number },
  subject = 'model',
): Promise<OriginalModel> {
  const session = await openSession(bytes, subject);
  const inputSize = shape.input.reduce((a, b) => a * b, 1);
  const run = runner(session, shape.input, shape.classes);
  const isFixed = shape.batch !== undefined;
  const trial = shape.batch ?? 2;
  const isSeparable = trial === 1 || (await separatesInputs(run, inputSize, shape.classes, trial, isFixed));
  if (isFixed && !isSeparable) {
    await session.release();
    throw new BadInputError(subject, [
      `the ${trial} inputs of its fixed batch influence each other; export the model with a batch of one`,
    ]);
  }
  const batch = shape.batch ?? (isSeparable ? freeBatch : 1);
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

/**
 * One thread, so that calls repeat. ONNX Runtime's Pad_Fusion is off: it moves the zeros of a Pad into a MaxPool, which
 * never takes its own padding as the maximum, so that the fused model differs from the file (seen in 1.30.0).
 */
export const originalSession: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Failures are thrown; those of the trial run are expected and need no log.
  logSeverityLevel: 4,
  extra: { optimization: { disable_specified_optimizers: 'Pad_Fusion' } },
};

async function openSession(bytes: Uint8Array, subject: string): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, originalSession);
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

/**
 * Whether an input's scores do not depend (up to rounding) on what else is in its batch of `count`: compared with a
 * batch of one or, where the file fixes the batch, with copies of itself.
 */
async function separatesInputs(
  run: Run,
  size: number,
  classes: number,
  count: number,
  isFixed: boolean,
): Promise<boolean> {
  const inputs = Float32Array.from({ length: count * size }, (_, i) => Math.abs(Math.sin(i + 1)));
  const alone = isFixed ? inputs.map((_, i) => inputs[i % size]) : inputs.slice(0, size);
  const wanted = (await run(alone, isFixed ? count : 1)).subarray(0, classes);
  try {
    const scores = await run(inputs, count);
    const scale = Math.max(1e-3, ...wanted.map(Math.abs));
    return wanted.every((score, k) => Math.abs(score - scores[k]) <= 1e-4 * scale);
  } catch {
    return false;
  }
}

function padded(values: Float32Array, length: number): Float32Array {
  const result = new Float32Array(length);
  result.set(values);
  return result;
}
