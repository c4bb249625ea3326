import { checkDataSet } from '../../lib/dataset/check';
import type { DataSet, Preprocessing, RawValues } from '../../lib/dataset/dataset';

const unit: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 1] };
const model = { inputShape: [2], classes: 3 };

const dataset = (values: RawValues, labels: number[]): DataSet => ({
  count: labels.length,
  shape: [2],
  values,
  labels: Int32Array.from(labels),
});

test('a data set without problems', () => {
  expect(checkDataSet(dataset(Float32Array.of(0, 1, 0.5, 0.25), [0, 2]), unit, model)).toEqual([]);
  expect(checkDataSet(dataset(Uint8Array.of(0, 255), [1]), { ...unit, scale: 1 / 255 }, model)).toEqual([]);
  expect(checkDataSet(dataset(Float64Array.of(1 + 5e-7, -5e-7), [1]), unit, model)).toEqual([]);
});

test('bytes that nobody scaled', () => {
  expect(checkDataSet(dataset(Uint8Array.of(0, 1, 7, 255), [0, 1]), unit, model)).toEqual([
    '2 of 4 pixels are outside the valid range [0, 1], the first is 7 (input 1, value 0); all lie in [0, 255]: ' +
      'is the scale 1/255?',
  ]);
});

test('values that are normalised already', () => {
  expect(checkDataSet(dataset(Float32Array.of(0.5, -1, 2, 0), [0, 1]), unit, model)).toEqual([
    '2 of 4 pixels are outside the valid range [0, 1], the first is -1 (input 0, value 1); all lie in [-1, 2]: ' +
      'give the file before normalisation with its mean and std, or the valid range of its values as clip',
  ]);
  expect(checkDataSet(dataset(Float32Array.of(0.5, -1, 2, 0), [0, 1]), { ...unit, clip: [-1, 2] }, model)).toEqual([]);
});

test('just beyond rounding', () => {
  expect(checkDataSet(dataset(Float64Array.of(1 + 2e-6, 0), [1]), unit, model)).toEqual([
    '1 of 2 pixels are outside the valid range [0, 1], the first is 1.000002 (input 0, value 0); all lie in [0, 1.000002]: ' +
      'are scale and clip those of this file?',
  ]);
});

test('everything that is wrong at once', () => {
  const values = Float32Array.of(0, Number.NaN, 3, Infinity);
  const wrong = checkDataSet(dataset(values, [3, -1]), { ...unit, mean: [0, 0] }, { inputShape: [3], classes: 3 });
  expect(wrong).toEqual([
    "an item of the data has shape [2] (2 values), the model's input has shape [3] (3 values): " +
      'is this the data set of this model?',
    "preprocessing mean has 2 values, the model's input [3] has 1 channel: give one value",
    '2 of 4 values are NaN or infinite, the first is NaN (input 0, value 1)',
    '1 of 4 pixels are outside the valid range [0, 1], the first is 3 (input 1, value 0); all lie in [0, 3]: is the scale 1/255?',
    '2 of 2 labels are not classes of the model (0 to 2), the first is 3 (input 0)',
  ]);
  expect(checkDataSet(dataset(new Float32Array(0), []), unit, model)).toEqual(['there are no inputs']);
});
