import { refuse } from '../values';
import type { OperatorNode } from './rule';

/** A sliding window over one or two spatial axes, written as two (height 1 for one-dimensional operators). */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly [number, number, number, number];
  /** height and width of the result */
  readonly out: readonly [number, number];
}

/**
 * The window of Conv, AveragePool and MaxPool over spatial axes of sizes `input`, from the attributes strides, pads,
 * auto_pad, dilations and ceil_mode.
 */
export function windowOf({ attributes }: OperatorNode, input: readonly number[], kernel: readonly number[]): Window {
  const rank = input.length;
  if (rank !== 1 && rank !== 2) refuse(`${rank} spatial axes; one or two are read`);
  if (kernel.length !== rank) refuse(`kernel of ${kernel.length} axes on ${rank} spatial axes`);
  const strides = attributes.ints('strides') ?? kernel.map(() => 1);
  const dilations = attributes.ints('dilations') ?? kernel.map(() => 1);
  const extent = kernel.map((size, d) => dilations[d] * (size - 1) + 1);
  const pads = padding(attributes.string('auto_pad', 'NOTSET'), attributes.ints('pads'), input, strides, extent);
  if (pads.some((pad) => pad < 0)) refuse(`negative padding [${pads.join(', ')}]`);
  const out = input.map((size, d) => {
    const room = size + pads[d] + pads[d + rank] - extent[d];
    const steps = Math.floor(room / strides[d]);
    const ceiling = Math.ceil(room / strides[d]);
    // The last window of ceil_mode must start inside the input or its left padding.
    const startsInside = ceiling * strides[d] < size + pads[d];
    return 1 + (attributes.int('ceil_mode', 0) === 1 && startsInside ? ceiling : steps);
  });
  if (out.some((size) => size < 1)) refuse(`window of ${extent.join(' x ')} is larger than its padded input`);
  const two = (values: readonly number[], fill: number): [number, number] =>
    rank === 1 ? [fill, values[0]] : [values[0], values[1]];
  return {
    kernel: two(kernel, 1),
    strides: two(strides, 1),
    dilations: two(dilations, 1),
    pads: rank === 1 ? [0, pads[0], 0, pads[1]] : [pads[0], pads[1], pads[2], pads[3]],
    out: two(out, 1),
  };
}

/** Begins of all axes, then ends of all axes, as ONNX writes `pads`. */
function padding(
  auto: string,
  explicit: readonly number[] | undefined,
  input: readonly number[],
  strides: readonly number[],
  extent: readonly number[],
): readonly number[] {
  if (auto === 'NOTSET' || auto === '') return explicit ?? [...input, ...input].map(() => 0);
  if (auto === 'VALID') return [...input, ...input].map(() => 0);
  if (auto !== 'SAME_UPPER' && auto !== 'SAME_LOWER') return refuse(`auto_pad ${auto}`);
  const totals = input.map((size, d) =>
    Math.max(0, (Math.ceil(size / strides[d]) - 1) * strides[d] + extent[d] - size),
  );
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total, d) => total - less[d]);
  return auto === 'SAME_UPPER' ? [...less, ...more] : [...more, ...less];
}
