import { createBounder } from '../../lib/bounds/bounder';
import { parseModel } from '../../lib/network/parse';
import { convert, readNetwork } from '../../lib/network/read';
import { random } from '../../lib/random';
import { outward } from '../../lib/region/outward';
import { blocksOf } from '../../lib/search/blocks';
import { doubleBounder } from '../../lib/search/double';
import { doubtsOf } from '../../lib/search/doubt';
import { type RegionOptions, searchRegions } from '../../lib/search/regions';
import { stepPrograms } from '../../lib/search/steps';
import { exactMinimumOnLine } from '../support/exact-line';
import { hostileNet } from '../support/hostile-nets';
import { randomMlp, uniform } from '../support/models';
import { add, approximate, compare, rational, zero } from '../support/rational';

const row = { coefficients: Float64Array.of(1, -1), offset: 0 };
const distances = [2, 4, 6, 7, 8, 9].flatMap((power) => [10 ** -power, -(10 ** -power)]);
const float32: Omit<RegionOptions, 'doubtsOf' | 'deadline'> = {
  frontier: 10_000,
  batch: 16,
  levels: [{ tightenSteps: 4, leaves: 0, limit: 2000 }],
};
/** Milliseconds of a search. */
const [patient, impatient] = [4000, 40];
const nets: readonly (readonly [string, Uint8Array])[] = [
  ...[0, 1].map((seed) => [`dense ${seed}`, randomMlp([3, 6, 5, 2], 60 + seed)] as const),
  ...[1].map((seed) => [`residual ${seed}`, hostileNet('residual', seed).bytes] as const),
];
/** What is proven of margins that are moved next to 0, by the distance from it that is asked for, and what of it is wrong. */
async function provenOf(bytes: Uint8Array, seed: number, useFloat64: boolean) {
  const { network } = readNetwork(bytes);
  const blocks = blocksOf(network);
  const steps = stepPrograms(blocks);
  const bounder = createBounder(network);
  const centre = uniform(5 * seed + 2)(3);
  const wide = random(seed).int(3);
  // Bounds of the box between float32 numbers: float64 must not round them either.
  const bound = (sign: number) => Float64Array.from(centre, (c, i) => c + (i === wide ? sign * 0.7 : 1e-9));
  const box = { lower: bound(-1), upper: bound(1) };
  const least = exactMinimumOnLine(convert(parseModel(bytes, ''), ''), box, row);
  const bounds = await bounder.preActivations(box);
  const double = doubleBounder(network);
  const proven: number[] = [];
  let wrong = 0;
  for (const distance of distances) {
    const offset = distance - approximate(least);
    const functionals = [{ terms: [...row.coefficients.entries()], offset }];
    const options: RegionOptions = {
      ...float32,
      // Without a witness, or without float64, a search may go on for ever.
      deadline: Date.now() + (useFloat64 && distance > 0 ? patient : impatient),
      ...(useFloat64 && { doubtsOf: (problem, open) => doubtsOf(double, box, problem, open) }),
    };
    const nothing = () => async () => undefined;
    const result = await searchRegions(blocks, steps, outward(box), bounds, functionals, nothing, options);
    if (result.kind !== 'proven') continue;
    proven.push(distance);
    const exact = add(least, rational(offset));
    if (compare(exact, zero) <= 0 || compare(rational(result.margin), exact) > 0) wrong++;
  }
  await bounder.release();
  await steps.release();
  return { proven, wrong };
}

test('margins from 1e-2 to 1e-9: never a wrong proof, all of them with float64, and few of the small ones without', async () => {
  let [wrong, small, smallInFloat32] = [0, 0, 0];
  const missed: string[] = [];
  for (const [seed, [name, bytes]] of nets.entries()) {
    const [without, with64] = [await provenOf(bytes, seed, false), await provenOf(bytes, seed, true)];
    wrong += without.wrong + with64.wrong;
    small += with64.proven.filter((distance) => distance < 5e-5).length;
    smallInFloat32 += without.proven.filter((distance) => distance < 5e-5).length;
    const left = distances.filter((distance) => distance > 0 && !with64.proven.includes(distance));
    missed.push(...left.map((distance) => `${name}: ${distance}`));
  }
  expect(wrong).toBe(0);
  expect({ missed, small }).toEqual({ missed: [], small: 4 * nets.length });
  expect(smallInFloat32).toBeLessThan(small / 4);
});
