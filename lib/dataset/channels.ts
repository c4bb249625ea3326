import { type Layout, shapeText } from './dataset';

/** Where the channels of an image lie in a row-major array. */
export interface ImageAxes {
  readonly order: 'CHW' | 'HWC';
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * How a shape without batch dimension holds an image. Three dimensions are one: [H, W, C] where the last is 1, 3 or 4
 * and the first is not, else [C, H, W], the order of ONNX. Anything else ([784, 1], [3072]) has no channels: undefined.
 */
export function imageAxes(shape: readonly number[]): ImageAxes | undefined {
  if (shape.length !== 3) return undefined;
  const [a, b, c] = shape;
  return isChannelCount(c) && !isChannelCount(a)
    ? { order: 'HWC', channels: c, height: a, width: b }
    : { order: 'CHW', channels: a, height: b, width: c };
}

function isChannelCount(dimension: number): boolean {
  return dimension === 1 || dimension === 3 || dimension === 4;
}

/** Number of channels of the model's input (1 where it has none), and the channel of a flat index into that input. */
export function channelsOf(inputShape: readonly number[]): {
  readonly count: number;
  readonly channel: (index: number) => number;
} {
  const axes = imageAxes(inputShape);
  if (axes === undefined || axes.channels === 1) return { count: 1, channel: () => 0 };
  const { channels, height, width, order } = axes;
  const stride = order === 'CHW' ? height * width : 1;
  return { count: channels, channel: (index) => Math.floor(index / stride) % channels };
}

/**
 * For each position of the model's input, the position of its value in an item of the data file; undefined where the two
 * orders are the same: `flat` data, equal layouts, a single channel, or a model whose input is no image.
 */
export function sourceOrder(layout: Layout, inputShape: readonly number[]): Int32Array | undefined {
  const axes = imageAxes(inputShape);
  if (layout === 'flat' || axes === undefined || axes.channels === 1 || axes.order === layout) return undefined;
  const { channels, height, width } = axes;
  const source = new Int32Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    for (let h = 0; h < height; h++) {
      for (let w = 0; w < width; w++) {
        const chw = (c * height + h) * width + w;
        const hwc = (h * width + w) * channels + c;
        if (layout === 'HWC') source[chw] = hwc;
        else source[hwc] = chw;
      }
    }
  }
  return source;
}

/** Why items of `shape` with this layout cannot be the model's input, or undefined when they can. Sizes must be equal. */
export function layoutProblem(
  layout: Layout,
  shape: readonly number[],
  inputShape: readonly number[],
): string | undefined {
  if (layout === 'flat') return undefined;
  const data = dataAxes(layout, shape);
  const model = imageAxes(inputShape);
  if (model === undefined) {
    if (data?.channels === 1) return undefined;
    return (
      `layout ${layout} says where the channels are, but the model's input ${shapeText(inputShape)} is no image: ` +
      "give layout flat if the file already has the model's own order"
    );
  }
  if (data === undefined) {
    if (shape.length === 1) return undefined;
    return `layout ${layout} does not fit items of shape ${shapeText(shape)}: give layout flat`;
  }
  const same = data.channels === model.channels && data.height === model.height && data.width === model.width;
  if (same) return undefined;
  return (
    `items of shape ${shapeText(shape)} read as ${layout} are ${imageText(data)}, but the model's input ` +
    `${shapeText(inputShape)} is ${imageText(model)}: is the layout ${layout === 'CHW' ? 'HWC' : 'CHW'}?`
  );
}

function dataAxes(layout: 'CHW' | 'HWC', shape: readonly number[]): ImageAxes | undefined {
  if (shape.length === 2) return { order: layout, channels: 1, height: shape[0], width: shape[1] };
  if (shape.length !== 3) return undefined;
  const [a, b, c] = shape;
  return layout === 'CHW'
    ? { order: layout, channels: a, height: b, width: c }
    : { order: layout, channels: c, height: a, width: b };
}

function imageText({ channels, height, width }: ImageAxes): string {
  return `${channels} channel${channels === 1 ? '' : 's'} of ${height} x ${width}`;
}
