import { random } from '../../lib/random';
import type { Box } from '../../lib/region/box';
import type { Float32Box } from '../../lib/region/outward';
import { inward } from '../../lib/region/outward';

/** A box around a random centre of [-1, 1]^size with radii of up to `radius`; some coordinates have width zero. */
export function randomBox(size: number, radius: number, seed: number): Box {
  const rng = random(seed);
  const lower = new Float64Array(size);
  const upper = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const centre = Math.fround(2 * rng.uniform() - 1);
    const reach = rng.int(8) === 0 ? 0 : Math.fround(radius * rng.uniform());
    lower[i] = centre - reach;
    upper[i] = centre + reach;
  }
  return { lower, upper };
}

/** Float32 points of the box: random ones, and corners, where linear functions have their minima. */
export function pointsOf(box: Box, count: number, seed: number): Float32Array[] {
  const inside = inward(box);
  if (inside.empty) return [];
  const rng = random(seed);
  const at = ({ lower, upper }: Float32Box, corner: boolean): Float32Array =>
    Float32Array.from(lower, (low, i) => {
      const share = corner ? rng.int(2) : rng.uniform();
      return Math.min(Math.max(Math.fround(low + share * (upper[i] - low)), low), upper[i]);
    });
  return Array.from({ length: count }, (_, k) => at(inside, k % 2 === 0));
}
