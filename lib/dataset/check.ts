import { notFiniteValues } from './assemble';
import { type DataSet, type Preprocessing, sizeOf } from './dataset';
import { acceptedRange, checkPreprocessing } from './preprocess';

/** What a data set is checked against: the model's input shape without batch dimension, and its number of classes. */
export interface ModelShape {
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/**
 * All reasons why the data set cannot be verified on the model with this preprocessing: no inputs, shapes or layouts that
 * do not fit, NaN or infinite values, pixels outside `clip`, labels that are no class. Empty when there are none.
 */
export function checkDataSet(dataset: DataSet, preprocessing: Preprocessing, model: ModelShape): string[] {
  const problems = dataset.count === 0 ? ['there are no inputs'] : [];
  problems.push(...checkPreprocessing(preprocessing, dataset, model.inputShape));
  const found = [
    notFiniteValues(dataset.values, sizeOf(dataset.shape)),
    pixelsOutside(dataset, preprocessing),
    labelsOutside(dataset.labels, model.classes),
  ];
  problems.push(...found.filter((problem) => problem !== undefined));
  return problems;
}

function pixelsOutside(dataset: DataSet, preprocessing: Preprocessing): string | undefined {
  const { values, shape } = dataset;
  const { scale, clip } = preprocessing;
  const [lowest, highest] = acceptedRange(clip);
  let outside = 0;
  let first = -1;
  let smallest = Infinity;
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] * scale;
    const isPixel = value >= lowest && value <= highest;
    if (!isPixel && !Number.isFinite(value)) continue;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
    if (!isPixel && outside++ === 0) first = i;
  }
  if (outside === 0) return undefined;
  const size = sizeOf(shape);
  return (
    `${outside} of ${values.length} pixels are outside the valid range [${clip.join(', ')}], ` +
    `the first is ${values[first] * scale} (input ${Math.floor(first / size)}, value ${first % size}); ` +
    `all lie in [${smallest}, ${largest}]: ` +
    rangeHint(smallest, largest, preprocessing)
  );
}

function rangeHint(smallest: number, largest: number, { scale, clip }: Preprocessing): string {
  if (smallest >= 0 && largest <= 255 && largest >= 2 && scale === 1 && clip[1] <= 1) return 'is the scale 1/255?';
  if (smallest < 0) {
    return 'give the file before normalisation with its mean and std, or the valid range of its values as clip';
  }
  return 'are scale and clip those of this file?';
}

function labelsOutside(labels: Int32Array, classes: number): string | undefined {
  const outside = labels.filter((label) => label < 0 || label >= classes);
  if (outside.length === 0) return undefined;
  const first = labels.findIndex((label) => label < 0 || label >= classes);
  return (
    `${outside.length} of ${labels.length} labels are not classes of the model (0 to ${classes - 1}), the first is ${labels[first]} ` +
    `(input ${first})`
  );
}
