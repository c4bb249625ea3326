import { channelsOf } from '../dataset/channels';
import { type Preprocessing, sizeOf } from '../dataset/dataset';
import type { Box } from './box';

type Normalisation = Pick<Preprocessing, 'mean' | 'std'>;

/**
 * The ball of radius `epsilon` around one input, as a box of network inputs: pixels [p - epsilon, p + epsilon], cut with
 * the valid range, then (. - mean) / std per channel of the model's input.
 *
 * `pixels`: [size], in the model's order and pixel units (see `pixels`); `inputShape`: without batch dimension.
 *
 * Every operation is rounded to the nearest float64. What is verified is the box with exactly these float64 bounds, in
 * real arithmetic: it differs from the box in exact decimal arithmetic by at most a few units in the 16th digit, an
 * ambiguity that the radius itself has (0.1 is no float64). From here on nothing is rounded inward for a proof
 * (`outward`), nor outward for a witness (`contains` compares exactly). Rounding is monotone, so the centre in float64
 * lies in the box, and a larger radius gives a box that contains a smaller one's.
 */
export function ball(
  pixels: Float64Array,
  epsilon: number,
  preprocessing: Normalisation & Pick<Preprocessing, 'clip'>,
  inputShape: readonly number[],
): Box {
  const [low, high] = preprocessing.clip;
  return {
    lower: normalise(pixels, preprocessing, inputShape, { by: -epsilon, low, high: Number.POSITIVE_INFINITY }),
    upper: normalise(pixels, preprocessing, inputShape, { by: epsilon, low: Number.NEGATIVE_INFINITY, high }),
  };
}

/**
 * The unperturbed input that the model is evaluated at: (pixel - mean) / std in float64, rounded to the nearest float32.
 * At the edge of the valid range that rounding can leave the ball by less than a float32 step, so a witness is not
 * searched from here but from a point of `inward(ball)`.
 */
export function centre(
  pixels: Float64Array,
  preprocessing: Normalisation,
  inputShape: readonly number[],
): Float32Array {
  return Float32Array.from(normalise(pixels, preprocessing, inputShape, unmoved));
}

/** What is added to a pixel, and where it is cut. */
interface Move {
  readonly by: number;
  readonly low: number;
  readonly high: number;
}

const unmoved: Move = { by: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

function normalise(
  pixels: Float64Array,
  { mean, std }: Normalisation,
  inputShape: readonly number[],
  { by, low, high }: Move,
): Float64Array {
  const size = sizeOf(inputShape);
  if (pixels.length !== size) throw new RangeError(`${pixels.length} pixels for a model input of ${size}`);
  const { count, channel } = channelsOf(inputShape);
  const values = new Float64Array(size);
  let [shift, scale] = [mean[0], std[0]];
  for (let i = 0; i < size; i++) {
    if (count > 1) {
      const c = channel(i);
      shift = mean[c] ?? mean[0];
      scale = std[c] ?? std[0];
    }
    values[i] = (Math.min(Math.max(pixels[i] + by, low), high) - shift) / scale;
  }
  return values;
}
