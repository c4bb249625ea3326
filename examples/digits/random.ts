import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A reproducible stream of random numbers. */
export interface Random {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Gaussian of mean 0. */
  normal(deviation: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** Uniform in 0, 1, ..., count - 1. */
  integer(count: number): number;
}

export function createRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const uniform = (low: number, high: number) => low + (high - low) * uniformFloat64(generator);
  return {
    uniform,
    // Box and Muller, 1958; 1 - u keeps the logarithm's argument above zero.
    normal: (deviation) =>
      deviation * Math.sqrt(-2 * Math.log(1 - uniform(0, 1))) * Math.cos(2 * Math.PI * uniform(0, 1)),
    chance: (probability) => uniform(0, 1) < probability,
    integer: (count) => Math.floor(uniform(0, count)),
  };
}

/** The numbers 0, 1, ..., count - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
