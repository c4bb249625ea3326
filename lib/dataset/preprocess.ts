import { z } from 'zod';
import { BadInputError } from '../errors';
import { channelsOf, imageAxes, layoutProblem, sourceOrder } from './channels';
import { type DataSet, type Preprocessing, type RawValues, shapeText, sizeOf } from './dataset';

/** Preprocessing as a user or a file gives it; unknown keys are refused. */
export const preprocessingSchema = z.strictObject({
  layout: z.enum(['CHW', 'HWC', 'flat']),
  scale: z.number().positive(),
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
  clip: z
    .tuple([z.number(), z.number()], { error: 'must be two numbers, [low, high]' })
    .refine(([low, high]) => low < high, { error: 'must be [low, high] with low < high' }),
});

/**
 * What is assumed of a data set of which nothing is said: bytes are pixels of 0 to 255 and scaled to [0, 1], other
 * values lie in [0, 1] already, and the model takes pixels without further normalisation. Items of three dimensions are
 * images, channels last where only the last dimension can be a number of channels (1, 3, 4); others are `flat`.
 */
export function defaultPreprocessing(dataset: Pick<DataSet, 'shape' | 'values'>): Preprocessing {
  return {
    layout: imageAxes(dataset.shape)?.order ?? 'flat',
    scale: dataset.values instanceof Uint8Array ? 1 / 255 : 1,
    mean: [0],
    std: [1],
    clip: [0, 1],
  };
}

/** All reasons why items of `dataset.shape` cannot be fed to a model of `inputShape` (no batch dimension) this way. */
export function checkPreprocessing(
  preprocessing: Preprocessing,
  dataset: Pick<DataSet, 'shape'>,
  inputShape: readonly number[],
): string[] {
  const problems: string[] = [];
  const checked = preprocessingSchema.safeParse(preprocessing);
  if (!checked.success) {
    problems.push(...checked.error.issues.map((issue) => `preprocessing ${issue.path.join('.')}: ${issue.message}`));
  }
  const itemSize = sizeOf(dataset.shape);
  const inputSize = sizeOf(inputShape);
  if (itemSize !== inputSize) {
    problems.push(
      `an item of the data has shape ${shapeText(dataset.shape)} (${itemSize} values), the model's input has shape ` +
        `${shapeText(inputShape)} (${inputSize} values): is this the data set of this model?`,
    );
  } else {
    const problem = layoutProblem(preprocessing.layout, dataset.shape, inputShape);
    if (problem !== undefined) problems.push(problem);
  }
  const { count } = channelsOf(inputShape);
  for (const key of ['mean', 'std'] as const) {
    const { length } = preprocessing[key];
    if (length === 1 || length === count) continue;
    problems.push(
      `preprocessing ${key} has ${length} values, the model's input ${shapeText(inputShape)} has ` +
        `${count} channel${count === 1 ? '' : 's'}: give one value${count === 1 ? '' : ', or one per channel'}`,
    );
  }
  return problems;
}

/** A pixel may lie outside `clip` by this share of its width, which is rounding, and is moved to its edge. */
const clipTolerance = 1e-6;

/** The range of values that are accepted as pixels: `clip`, widened by the rounding that is forgiven. */
export function acceptedRange([low, high]: Preprocessing['clip']): readonly [number, number] {
  const slack = clipTolerance * (high - low);
  return [low - slack, high + slack];
}

/**
 * The pixels (raw * scale) of one or more items laid one after the other, in the order of the model's input; float64.
 * `inputShape` is without batch dimension. Throws RangeError for a part of an item, BadInputError for a pixel outside the
 * valid range (`checkDataSet` lists them all beforehand).
 */
export function pixels(
  raw: RawValues,
  preprocessing: Pick<Preprocessing, 'layout' | 'scale' | 'clip'>,
  inputShape: readonly number[],
): Float64Array {
  const { layout, scale, clip } = preprocessing;
  const size = sizeOf(inputShape);
  if (raw.length % size !== 0) throw new RangeError(`${raw.length} values are not whole items of ${size}`);
  const [low, high] = clip;
  const [lowest, highest] = acceptedRange(clip);
  const source = sourceOrder(layout, inputShape);
  const out = new Float64Array(raw.length);
  for (let start = 0; start < raw.length; start += size) {
    for (let i = 0; i < size; i++) {
      const value = raw[start + (source === undefined ? i : source[i])] * scale;
      if (!(value >= lowest && value <= highest)) {
        throw new BadInputError('data set', [`pixel ${value} is outside the valid range [${low}, ${high}]`]);
      }
      out[start + i] = value < low ? low : value > high ? high : value;
    }
  }
  return out;
}
