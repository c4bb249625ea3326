import { channelsOf, imageAxes, sourceOrder } from '../../lib/dataset/channels';
import type { Preprocessing } from '../../lib/dataset/dataset';
import { checkPreprocessing, defaultPreprocessing, pixels, preprocessingSchema } from '../../lib/dataset/preprocess';
import { problemsOf } from '../support/problems';

const unit: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 1] };

test.each<[number[], ReturnType<typeof imageAxes>]>([
  [[1, 28, 28], { order: 'CHW', channels: 1, height: 28, width: 28 }],
  [[3, 32, 24], { order: 'CHW', channels: 3, height: 32, width: 24 }],
  [[32, 24, 3], { order: 'HWC', channels: 3, height: 32, width: 24 }],
  [[28, 28, 1], { order: 'HWC', channels: 1, height: 28, width: 28 }],
  [[3, 24, 3], { order: 'CHW', channels: 3, height: 24, width: 3 }],
  [[6, 5, 7], { order: 'CHW', channels: 6, height: 5, width: 7 }],
  [[784, 1], undefined],
  [[784], undefined],
  [[2, 3, 4, 5], undefined],
])('%p as an image', (shape, axes) => {
  expect(imageAxes(shape)).toEqual(axes);
});

test('the channel of each position', () => {
  const channels = (shape: number[]) => Array.from({ length: 12 }, (_, i) => channelsOf(shape).channel(i));
  expect(channels([3, 2, 2])).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  expect(channels([2, 2, 3])).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  expect(channels([12])).toEqual(new Array(12).fill(0));
  expect([channelsOf([3, 2, 2]).count, channelsOf([12]).count, channelsOf([1, 3, 4]).count]).toEqual([3, 1, 1]);
});

test('the two permutations undo each other, and others are the identity', () => {
  const toCHW = sourceOrder('HWC', [3, 2, 4]) ?? new Int32Array();
  const toHWC = sourceOrder('CHW', [2, 4, 3]) ?? new Int32Array();
  expect(Array.from(toCHW, (source) => toHWC[source])).toEqual(Array.from({ length: 24 }, (_, i) => i));
  expect(sourceOrder('CHW', [3, 2, 4])).toBeUndefined();
  expect(sourceOrder('HWC', [2, 4, 3])).toBeUndefined();
  expect(sourceOrder('flat', [3, 2, 4])).toBeUndefined();
  expect(sourceOrder('HWC', [1, 2, 4])).toBeUndefined();
  expect(sourceOrder('HWC', [24])).toBeUndefined();
});

describe('pixels', () => {
  // Two rows of three pixels: 10 * channel + position.
  const chw = [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25];
  const hwc = [0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24, 5, 15, 25];
  const bytes = { ...unit, clip: [0, 255] } as const;

  test('channels last to a model with channels first, and the other way', () => {
    expect([...pixels(Uint8Array.from(hwc), { ...bytes, layout: 'HWC' }, [3, 2, 3])]).toEqual(chw);
    expect([...pixels(Uint8Array.from(chw), { ...bytes, layout: 'CHW' }, [2, 3, 3])]).toEqual(hwc);
  });

  test('equal layouts and flat data are not permuted', () => {
    expect([...pixels(Uint8Array.from(hwc), { ...bytes, layout: 'HWC' }, [2, 3, 3])]).toEqual(hwc);
    expect([...pixels(Uint8Array.from(hwc), { ...bytes, layout: 'flat' }, [3, 2, 3])]).toEqual(hwc);
    expect([...pixels(Uint8Array.from(hwc), { ...bytes, layout: 'flat' }, [18])]).toEqual(hwc);
  });

  test('several items at once', () => {
    const two = Uint8Array.from([...hwc, ...hwc.map((value) => value + 100)]);
    expect([...pixels(two, { ...bytes, layout: 'HWC' }, [3, 2, 3])]).toEqual([
      ...chw,
      ...chw.map((value) => value + 100),
    ]);
    expect(() => pixels(two.subarray(1), bytes, [3, 2, 3])).toThrow(RangeError);
  });

  test('are scaled in float64: 255 is exactly 1', () => {
    const scaled = pixels(Uint8Array.of(0, 1, 255), { ...unit, scale: 1 / 255 }, [3]);
    expect([...scaled]).toEqual([0, 1 / 255, 1]);
  });

  test('rounding beyond the valid range is moved to its edge; anything further is refused', () => {
    expect([...pixels(Float64Array.of(1 + 5e-7, -5e-7), unit, [2])]).toEqual([1, 0]);
    expect(pixels(Uint8Array.of(255), { ...unit, scale: 0.00392157 }, [1])[0]).toBe(1);
    for (const value of [1 + 2e-6, -2e-6, Number.NaN, Infinity]) {
      expect(problemsOf(() => pixels(Float64Array.of(value), unit, [1]))).toEqual([
        `pixel ${value} is outside the valid range [0, 1]`,
      ]);
    }
  });
});

describe('default preprocessing', () => {
  test.each<[number[], string]>([
    [[28, 28], 'flat'],
    [[784], 'flat'],
    [[1, 28, 28], 'CHW'],
    [[28, 28, 1], 'HWC'],
    [[32, 32, 3], 'HWC'],
    [[3, 32, 32], 'CHW'],
  ])('bytes of shape %p', (shape, layout) => {
    const expected = { layout, scale: 1 / 255, mean: [0], std: [1], clip: [0, 1] };
    expect(defaultPreprocessing({ shape, values: new Uint8Array(0) })).toEqual(expected);
  });

  test('other values are pixels already', () => {
    expect(defaultPreprocessing({ shape: [4], values: new Float32Array(0) })).toEqual(unit);
    expect(defaultPreprocessing({ shape: [4], values: new Float64Array(0) })).toEqual(unit);
  });
});

test('the schema is strict', () => {
  expect(preprocessingSchema.safeParse(unit).success).toBe(true);
  const bad = { layout: 'NCHW', scale: 0, mean: [], std: [0], clip: [1, 0], norm: 'linf' };
  const paths = preprocessingSchema.safeParse(bad).error?.issues.map(({ path }) => path.join('.'));
  expect(paths).toEqual(['layout', 'scale', 'mean', 'std.0', 'clip', '']);
  expect(preprocessingSchema.safeParse({ ...unit, mean: [Number.NaN] }).success).toBe(false);
  expect(preprocessingSchema.safeParse({ ...unit, scale: Infinity }).success).toBe(false);
});

describe('checkPreprocessing', () => {
  const check = (shape: number[], inputShape: number[], preprocessing: Partial<Preprocessing> = {}) =>
    checkPreprocessing({ ...unit, ...preprocessing }, { shape }, inputShape);

  test.each<[number[], number[], Preprocessing['layout']]>([
    [[28, 28], [784, 1], 'flat'],
    [[28, 28], [1, 28, 28], 'flat'],
    [[28, 28], [1, 28, 28], 'CHW'],
    [[28, 28, 1], [784], 'HWC'],
    [[32, 32, 3], [3, 32, 32], 'HWC'],
    [[3, 32, 32], [3, 32, 32], 'CHW'],
    [[3, 32, 32], [32, 32, 3], 'CHW'],
    [[3072], [3, 32, 32], 'HWC'],
    [[3072], [3072], 'flat'],
    [[6, 14, 14], [6, 14, 14], 'CHW'],
  ])('items of %p fit a model of %p as %s', (shape, inputShape, layout) => {
    expect(check(shape, inputShape, { layout })).toEqual([]);
  });

  test('sizes', () => {
    expect(check([28, 28], [3, 32, 32])).toEqual([
      "an item of the data has shape [28, 28] (784 values), the model's input has shape [3, 32, 32] (3072 values): " +
        'is this the data set of this model?',
    ]);
  });

  test('layouts', () => {
    expect(check([32, 32, 3], [3, 32, 32], { layout: 'CHW' })).toEqual([
      "items of shape [32, 32, 3] read as CHW are 32 channels of 32 x 3, but the model's input [3, 32, 32] is " +
        '3 channels of 32 x 32: is the layout HWC?',
    ]);
    expect(check([24, 32], [1, 32, 24], { layout: 'CHW' })).toEqual([
      "items of shape [24, 32] read as CHW are 1 channel of 24 x 32, but the model's input [1, 32, 24] is " +
        '1 channel of 32 x 24: is the layout HWC?',
    ]);
    expect(check([3, 32, 32], [3072], { layout: 'CHW' })).toEqual([
      "layout CHW says where the channels are, but the model's input [3072] is no image: give layout flat if the file " +
        "already has the model's own order",
    ]);
    expect(check([2, 2, 2, 3], [3, 2, 4], { layout: 'HWC' })).toEqual([
      'layout HWC does not fit items of shape [2, 2, 2, 3]: give layout flat',
    ]);
  });

  test('mean and std, with all other problems', () => {
    expect(check([4], [3, 1, 1], { mean: [0, 0], std: [1, 1, -1], clip: [1, 1] })).toEqual([
      'preprocessing std.2: Too small: expected number to be >0',
      'preprocessing clip: must be [low, high] with low < high',
      "an item of the data has shape [4] (4 values), the model's input has shape [3, 1, 1] (3 values): " +
        'is this the data set of this model?',
      "preprocessing mean has 2 values, the model's input [3, 1, 1] has 3 channels: give one value, or one per channel",
    ]);
    expect(check([4], [4], { mean: [0, 0] })).toEqual([
      "preprocessing mean has 2 values, the model's input [4] has 1 channel: give one value",
    ]);
  });
});
