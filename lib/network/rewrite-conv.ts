import { foldError, foldOf, sumOfProducts } from './folding';
import type { ConvNode, NetworkNode, SelectNode } from './network';
import { keepsOrder } from './rewrite-dense';

/**
 * Rewrites around convolutions. Each returns the equivalent node, or undefined where it does not apply or where cancellation
 * would leave biases less exact than float32 (folding.ts).
 */

/** The one value of each channel of a [channels, ...] tensor, or undefined where a channel holds different values. */
function perChannel(values: Float64Array | undefined, channels: number, absent: number): Float64Array | undefined {
  const result = new Float64Array(channels).fill(absent);
  if (!values) return result;
  const area = values.length / channels;
  for (let channel = 0; channel < channels; channel++) result[channel] = values[channel * area];
  return values.every((value, i) => value === result[Math.floor(i / area)]) ? result : undefined;
}

/** A scale and a bias for each channel of the result, as by batch normalisation, go into filter and bias. */
export function affineAfterConv(select: SelectNode, conv: ConvNode): ConvNode | undefined {
  if (!keepsOrder(select.index, conv.size)) return undefined;
  const [channels] = conv.outShape;
  const scale = perChannel(select.scale, channels, 1);
  const offset = perChannel(select.bias, channels, 0);
  if (!scale || !offset) return undefined;
  const filter = conv.weight.length / channels;
  const fold = foldOf(select, conv);
  const weight = conv.weight.map((value, i) => value * scale[Math.floor(i / filter)]);
  const bias = conv.bias.map((value, c) => sumOfProducts(fold, [value, offset[c]], [scale[c], 1]));
  const error = foldError(fold);
  return error && { ...conv, name: select.name, weight, bias, ...error };
}

/**
 * A scale and a bias for each channel of the input, as by a normalisation in front, go into filter and bias. With
 * padding only the scale can: the padded zeros are not shifted.
 */
export function convAfterAffine(conv: ConvNode, select: SelectNode, source: NetworkNode): ConvNode | undefined {
  if (!keepsOrder(select.index, source.size)) return undefined;
  if (select.bias && conv.pads.some((pad) => pad > 0)) return undefined;
  const scale = perChannel(select.scale, conv.inShape[0], 1);
  const offset = perChannel(select.bias, conv.inShape[0], 0);
  if (!scale || !offset) return undefined;
  const area = conv.kernel[0] * conv.kernel[1];
  const groupIn = conv.inShape[0] / conv.groups;
  const groupOut = conv.outShape[0] / conv.groups;
  const fold = foldOf(conv, select);
  const filter = groupIn * area;
  const channel = (i: number): number => Math.floor(i / filter / groupOut) * groupIn + (Math.floor(i / area) % groupIn);
  const weight = conv.weight.map((value, i) => value * scale[channel(i)]);
  const bias = conv.bias.map((own, out) => {
    const weights = conv.weight.subarray(out * filter, (out + 1) * filter);
    const offsets = Array.from(weights, (_, i) => offset[channel(out * filter + i)]);
    return select.bias ? sumOfProducts(fold, [own, ...weights], [1, ...offsets]) : own;
  });
  const error = foldError(fold);
  return error && { ...conv, from: select.from, weight, bias, ...error };
}

/** Zeros put around each channel by a Pad in front become the convolution's own padding. Not where the select reads only a part of its source. */
export function convAfterPadding(conv: ConvNode, select: SelectNode, source: NetworkNode): ConvNode | undefined {
  if (select.scale || select.bias) return undefined;
  const [channels, height, width] = conv.inShape;
  const first = select.index.findIndex((from) => from >= 0);
  const last = select.index.findLastIndex((from) => from >= 0);
  if (first < 0 || first >= height * width || last < (channels - 1) * height * width) return undefined;
  const [top, left] = [Math.floor(first / width), first % width];
  const [bottom, right] = [height - 1 - (Math.floor(last / width) % height), width - 1 - (last % width)];
  const inner = [height - top - bottom, width - left - right];
  const expected = (i: number): number => {
    const y = (Math.floor(i / width) % height) - top;
    const x = (i % width) - left;
    const inside = y >= 0 && y < inner[0] && x >= 0 && x < inner[1];
    return inside ? (Math.floor(i / (height * width)) * inner[0] + y) * inner[1] + x : -1;
  };
  if (inner[0] < 1 || inner[1] < 1 || source.size !== channels * inner[0] * inner[1]) return undefined;
  if (!select.index.every((from, i) => from === expected(i))) return undefined;
  const [t, l, b, r] = conv.pads;
  return {
    ...conv,
    from: select.from,
    inShape: [channels, inner[0], inner[1]],
    pads: [t + top, l + left, b + bottom, r + right],
  };
}
