import { gatherIndex } from '../indexing';
import { elements, formatShape, refuse, type VariableTensor } from '../values';
import { maximum } from './collect';
import { type OperatorNode, type OperatorRule, variableAt } from './rule';
import { type Window, windowOf } from './window';

interface Pooling {
  readonly x: VariableTensor;
  readonly shape: readonly number[];
  readonly channels: number;
  readonly input: readonly [number, number];
  readonly window: Window;
}

function poolingOf(node: OperatorNode): Pooling {
  const x = variableAt(node, 0);
  const [batch, channels, ...spatial] = x.shape;
  if (batch !== 1) refuse(`input ${formatShape(x.shape)} has no batch dimension of one in front`);
  const window = windowOf(node, spatial, node.attributes.ints('kernel_shape') ?? refuse('kernel_shape is missing'));
  const isFlat = spatial.length === 1;
  const shape = [1, channels, ...(isFlat ? [window.out[1]] : window.out)];
  return { x, shape, channels, input: isFlat ? [1, spatial[0]] : [spatial[0], spatial[1]], window };
}

/** Coordinates of an axis (0: height, 1: width) under kernel element k for each output coordinate; may lie outside. */
function coordinates({ out, strides, pads, dilations }: Window, axis: 0 | 1, k: number): number[] {
  return Array.from({ length: out[axis] }, (_, o) => o * strides[axis] - pads[axis] + k * dilations[axis]);
}

/** https://onnx.ai/onnx/operators/onnx__MaxPool.html; padding is never the maximum, so it is left out of the windows */
export const maxPool: OperatorRule = (node) => {
  const { x, shape, channels, input, window } = poolingOf(node);
  const [height, width] = input;
  const candidates = Array.from({ length: elements(shape) }, (): number[] => []);
  for (let i = 0; i < window.kernel[0]; i++) {
    for (let j = 0; j < window.kernel[1]; j++) {
      const rows = coordinates(window, 0, i).map((y) => (y < 0 || y >= height ? -1 : y * width));
      const columns = coordinates(window, 1, j).map((z) => (z < 0 || z >= width ? -1 : z));
      const planes = Array.from({ length: channels }, (_, c) => c * height * width);
      gatherIndex([planes, rows, columns]).forEach((position, out) => {
        if (position >= 0) candidates[out].push(position);
      });
    }
  }
  return maximum(node.emit, x, shape, candidates);
};

/** How many of the window's positions along an axis count, for each output coordinate. */
function counts({ kernel, pads, ...window }: Window, axis: 0 | 1, size: number, withPadding: boolean): number[] {
  const [low, high] = withPadding ? [-pads[axis], size + pads[axis + 2]] : [0, size];
  const result = new Array<number>(window.out[axis]).fill(0);
  for (let k = 0; k < kernel[axis]; k++) {
    coordinates({ kernel, pads, ...window }, axis, k).forEach((at, o) => {
      if (at >= low && at < high) result[o]++;
    });
  }
  return result;
}

/**
 * https://onnx.ai/onnx/operators/onnx__AveragePool.html as a convolution of each channel by itself; where windows hold
 * different numbers of counted values, as a sum that is then divided for each position.
 */
export const averagePool: OperatorRule = (node) => {
  const { x, shape, channels, input, window } = poolingOf(node);
  const withPadding = node.attributes.int('count_include_pad', 0) === 1;
  const rows = counts(window, 0, input[0], withPadding);
  const columns = counts(window, 1, input[1], withPadding);
  const divisors = rows.flatMap((row) => columns.map((column) => row * column));
  if (divisors.includes(0)) refuse('takes the mean of a window of padding');
  const isEven = divisors.every((divisor) => divisor === divisors[0]);
  const sums = channelwise(node, { x, shape, channels, input, window }, isEven ? 1 / divisors[0] : 1);
  if (isEven) return sums;
  const scale = Float64Array.from({ length: elements(shape) }, (_, i) => 1 / divisors[i % divisors.length]);
  return node.emit.affine(sums, { scale });
};

/** The sum of each window times a factor. ceil_mode may need more padding at the end than the attribute gives. */
function channelwise(
  node: OperatorNode,
  { x, shape, channels, input, window }: Pooling,
  factor: number,
): VariableTensor {
  const { out, pads, ...rest } = window;
  const overhang = ([0, 1] as const).map((axis) => {
    const reach = (out[axis] - 1) * rest.strides[axis] + rest.dilations[axis] * (rest.kernel[axis] - 1) + 1;
    return Math.max(pads[axis + 2], reach - input[axis] - pads[axis]);
  });
  return node.emit.conv(x, shape, {
    ...rest,
    weight: new Float64Array(channels * rest.kernel[0] * rest.kernel[1]).fill(factor),
    bias: new Float64Array(channels),
    pads: [pads[0], pads[1], overhang[0], overhang[1]],
    groups: channels,
    inShape: [channels, ...input],
    outShape: [channels, ...out],
  });
}
