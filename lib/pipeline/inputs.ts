import type { Preprocessing } from '../dataset/dataset';
import { pixels } from '../dataset/preprocess';
import type { Records } from '../dataset/records';
import type { Network } from '../network/network';
import { ball, centre } from '../region/ball';
import type { Box } from '../region/box';

/** Inputs of a data set as the network sees them. */
export interface ModelInputs {
  /** Pixels in the model's order, in pixel units. */
  pixels(input: number): Float64Array;
  /** The unperturbed network input. */
  centre(input: number): Float32Array;
  /** The ball as a box of network inputs. */
  ball(input: number, epsilon: number): Box;
}

/** Reads the given inputs, and only those. */
export async function readInputs(
  records: Records,
  network: Pick<Network, 'inputShape'>,
  indices: ArrayLike<number>,
): Promise<ModelInputs> {
  const preprocessing: Preprocessing = records.manifest.preprocessing;
  const raw = await records.read(indices);
  const places = new Map(Array.from(indices, (index, place) => [index, place]));
  const pixelsOf = (input: number): Float64Array => {
    const place = places.get(input);
    if (place === undefined) throw new RangeError(`input ${input} was not read`);
    return pixels(raw[place], preprocessing, network.inputShape);
  };
  return {
    pixels: pixelsOf,
    centre: (input) => centre(pixelsOf(input), preprocessing, network.inputShape),
    ball: (input, epsilon) => ball(pixelsOf(input), epsilon, preprocessing, network.inputShape),
  };
}
