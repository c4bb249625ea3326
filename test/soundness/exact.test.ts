import { marginRows } from '../../lib/bounds/margin';
import { createEngine } from '../../lib/group/engine';
import { parseModel } from '../../lib/network/parse';
import { convert } from '../../lib/network/read';
import { random } from '../../lib/random';
import type { Box } from '../../lib/region/box';
import { exactMinimumOnLine } from '../support/exact-line';
import { type Hostility, hostileNet, hostilities } from '../support/hostile-nets';
import { uniform } from '../support/models';
import { add, approximate, compare, rational } from '../support/rational';

/** Float64 on both sides of the comparison would hide errors of its own: what is proven is compared as a rational number. */
const margin = { coefficients: Float64Array.of(1, -1), offset: 0 };
/** Where the minimum is moved to, in units of itself. */
const distances = [-1e-3, -1e-6, -1e-9, 0, 1e-4];
const searchMilliseconds = 60;

/** A box of which one coordinate has a width, so that the exact minimum is known. */
function segment(inputs: number, seed: number, radius: number, scale: number): Box {
  const centre = uniform(3 * seed + 1)(inputs);
  const wide = random(seed).int(inputs);
  const bound = (sign: number): Float64Array =>
    Float64Array.from(centre, (c, i) => Math.fround(scale * (c + (i === wide ? sign * radius : 0))));
  return { lower: bound(-1), upper: bound(1) };
}

describe('nothing proven exceeds the exact minimum of the model as the file has it', () => {
  const proven = { bounds: 0, searches: 0 };

  const check = async (trait: Hostility, seed: number): Promise<void> => {
    const { bytes, inputs } = hostileNet(trait, seed);
    const engine = await createEngine(bytes, trait);
    // Not simplified: folding is part of what is tested.
    const exact = convert(parseModel(bytes, trait), trait);
    const scale = trait === 'weights from 1e-30 to 1e30' ? 10 ** (random(seed).int(40) - 20) : 1;
    for (const radius of [0.3, 2]) {
      const box = segment(inputs, seed, radius, scale);
      const least = exactMinimumOnLine(exact, box, margin);
      const [{ rows }] = await engine.bounder.bound([{ box, rows: [margin] }]);
      if (rows[0] > Number.NEGATIVE_INFINITY) {
        proven.bounds++;
        expect(compare(rational(rows[0]), least)).toBeLessThanOrEqual(0);
      }
      const size = Math.max(Math.abs(approximate(least)), 1e-30);
      for (const distance of distances) {
        const offset = distance * size - approximate(least);
        const violation = [[{ coefficients: Float64Array.of(-1, 1), offset: -offset }]];
        const deadline = Date.now() + searchMilliseconds;
        const result = await engine.searcher.search(box, violation, marginRows(violation), { deadline });
        if (result.kind !== 'proven') continue;
        proven.searches++;
        const shifted = add(least, rational(offset));
        expect(compare(shifted, rational(0))).toBeGreaterThan(0);
        expect(compare(rational(result.margin), shifted)).toBeLessThanOrEqual(0);
      }
    }
    await engine.release();
  };

  test.each(hostilities)('%s', async (trait) => {
    const seeds = trait === 'plain' || trait === 'constants of 1e12 that cancel' ? [5, 21, 24] : [1];
    for (const seed of seeds) await check(trait, seed);
  });

  test('there was something to compare', () => {
    expect(proven.bounds).toBeGreaterThan(20);
    expect(proven.searches).toBeGreaterThan(8);
  });
});
