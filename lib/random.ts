import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded stream of random numbers: the same seeds give the same stream on every machine. */
export interface Random {
  /** Uniform integer of [0, below); below >= 1. */
  int(below: number): number;
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (polar method of Marsaglia and Bray). */
  normal(): number;
  /** Gamma of the given shape >= 1 and scale 1 (Marsaglia and Tsang 2000, "A simple method", section 2). */
  gamma(shape: number): number;
}

/** A stream of its own for every list of seeds, e.g. (seed of the run, number of the round). */
export function random(...seeds: readonly number[]): Random {
  const generator = xoroshiro128plus(mix(seeds));
  const uniform = (): number => uniformFloat64(generator);
  const normal = (): number => {
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const s = x * x + y * y;
      if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s);
    }
  };
  const gamma = (shape: number): number => {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  return { int: (below) => uniformInt(generator, 0, below - 1), uniform, normal, gamma };
}

/** The list 0 ... count - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, rng: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  return order;
}

/** One 32-bit seed of many: FNV-1a over the 32-bit words with the final mixing of MurmurHash3. */
function mix(seeds: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const seed of seeds) hash = Math.imul(hash ^ seed, 0x01000193) + 0x9e3779b9;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}
