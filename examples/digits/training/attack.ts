import type { Random } from '../random';
import { inputGradient, type Model } from './model';

export interface AttackSettings {
  /** Radius in pixel units of [0, 1]. */
  readonly epsilon: number;
  readonly steps: number;
  /** Length of a step as a share of epsilon. */
  readonly stepLength: number;
}

/**
 * Inputs within epsilon (largest change of a pixel) and within [0, 1] that the model finds hard: projected gradient
 * ascent on the loss from a random start (Madry et al., ICLR 2018; with one step: Wong et al., ICLR 2020).
 */
export function perturbed(
  model: Model,
  input: Float64Array,
  labels: Int32Array,
  { epsilon, steps, stepLength }: AttackSettings,
  random: Random,
): Float64Array {
  const lower = input.map((pixel) => (pixel > epsilon ? pixel - epsilon : 0));
  const upper = input.map((pixel) => (pixel < 1 - epsilon ? pixel + epsilon : 1));
  let point = input.map((_, i) => random.uniform(lower[i], upper[i]));
  for (let step = 0; step < steps; step++) {
    const gradient = inputGradient(model, point, labels);
    point = point.map((pixel, i) => {
      const length = gradient[i] === 0 ? 0 : epsilon * stepLength;
      const moved = gradient[i] > 0 ? pixel + length : pixel - length;
      return moved < lower[i] ? lower[i] : moved > upper[i] ? upper[i] : moved;
    });
  }
  return point;
}
