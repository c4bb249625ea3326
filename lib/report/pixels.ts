import { channelsOf } from '../dataset/channels';
import type { Preprocessing } from '../dataset/dataset';

/** Network inputs of `inputShape` (without batch dimension) back in pixel units: input * std + mean, per channel. */
export function pixelsOfInput(
  input: ArrayLike<number>,
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
  inputShape: readonly number[],
): Float64Array {
  const { channel } = channelsOf(inputShape);
  const of = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : channel(i)];
  return Float64Array.from(input, (value, i) => value * of(std, i) + of(mean, i));
}
