import { createRandom, type Random } from '../random';
import { flatten, imageSize, ink, jitter, randomPose, segmentsOf } from './pen';
import { strokesOf } from './strokes';

/** The seeds of the two sets; everything about an image follows from its set's seed and its position. */
export const trainingSeed = 20_261_101;
export const testSeed = 20_261_102;
export const trainingCount = 6000;
export const testCount = 1000;

export const classes = 10;

export interface Digits {
  readonly count: number;
  /** [count, imageSize, imageSize] grey values, 0 is paper and 255 full ink. */
  readonly images: Uint8Array;
  /** [count] */
  readonly labels: Int32Array;
}

/** One image, [imageSize, imageSize]: the digit in some hand, pose, pen and lighting. */
export function drawDigit(digit: number, random: Random): Uint8Array {
  const pose = randomPose(random);
  const segments = strokesOf(digit, random).flatMap((stroke) =>
    segmentsOf(flatten(jitter(stroke, 0.07, random)), pose),
  );
  const grey = ink(segments, random.uniform(0.45, 0.95), random.uniform(1, 1.6));
  const contrast = random.uniform(0.7, 1);
  const noise = random.uniform(0, 0.05);
  return Uint8Array.from(grey, (value) => {
    const noisy = contrast * value + random.normal(noise);
    return Math.round(255 * Math.min(1, Math.max(0, noisy)));
  });
}

/** `count` images of the set with this seed; the classes take turns. A longer set begins with the shorter one. */
export function drawDigits(count: number, seed: number): Digits {
  const random = createRandom(seed);
  const images = new Uint8Array(count * imageSize * imageSize);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % classes;
    images.set(drawDigit(labels[i], random), i * imageSize * imageSize);
  }
  return { count, images, labels };
}
