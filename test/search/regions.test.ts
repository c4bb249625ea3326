import { createBounder } from '../../lib/bounds/bounder';
import { marginRows } from '../../lib/bounds/margin';
import { readNetwork } from '../../lib/network/read';
import { outward } from '../../lib/region/outward';
import { misclassification } from '../../lib/region/violation';
import { blocksOf } from '../../lib/search/blocks';
import { type RegionOptions, searchRegions } from '../../lib/search/regions';
import { stepPrograms } from '../../lib/search/steps';
import { randomBox } from '../support/balls';
import { exactMinimum } from '../support/brute-force';
import { randomMlp } from '../support/models';

const generous: RegionOptions = {
  deadline: Number.POSITIVE_INFINITY,
  frontier: 10_000,
  batch: 8,
  levels: [{ tightenSteps: 4, leaves: 0, limit: 1000 }],
};
const nothing = () => async () => undefined;

describe('regions on tiny nets', () => {
  const seen = { proven: 0, open: 0, divided: 0 };

  test.each(Array.from({ length: 7 }, (_, seed) => seed))(
    'proven exactly where the minimum is above 0, seed %d',
    async (seed) => {
      const { network } = readNetwork(randomMlp([2, 4, 3, 3], 100 + seed));
      const blocks = blocksOf(network);
      const bounder = createBounder(network);
      const steps = stepPrograms(blocks);
      const box = randomBox(2, 1.5, seed);
      const bounds = await bounder.preActivations(box);
      for (const { coefficients } of marginRows(misclassification(seed % 3, 3))) {
        const exact = await exactMinimum(network, box, coefficients);
        // Shifted so that the minimum is as near to 0 as half the ones before; both signs.
        for (const distance of [0.05, -0.05, 1e-3, -1e-3]) {
          const functionals = [{ terms: [...coefficients.entries()], offset: distance - exact }];
          // Every region is divided after its root: regions must cover, and carry their rows. Refined bounds on top.
          for (const levels of [
            [{ tightenSteps: 4, leaves: 0, limit: 1 }],
            [
              { tightenSteps: 4, leaves: 0, limit: 1 },
              { tightenSteps: 4, leaves: 6, limit: 1 },
            ],
            generous.levels,
          ]) {
            const options = { ...generous, levels };
            const result = await searchRegions(blocks, steps, outward(box), bounds, functionals, nothing, options);
            if (result.kind === 'proven') expect(distance).toBeGreaterThan(0);
            if (result.kind === 'proven' && result.regions > 1) seen.divided++;
            if (distance < 0) expect(result.kind).toBe('open');
            else if (result.kind === 'open') expect(['stuck']).toContain(result.reason);
            seen[result.kind === 'proven' ? 'proven' : 'open']++;
          }
        }
      }
      await bounder.release();
      await steps.release();
    },
  );

  test('nearly all minima above 0 are proven, some by dividing', () => {
    expect(seen.divided).toBeGreaterThan(5);
    // Half of the cases are below 0.
    expect(seen.proven).toBeGreaterThan(0.95 * seen.open);
  });
});

describe('limits', () => {
  const { network } = readNetwork(randomMlp([4, 20, 20, 3], 1));
  const blocks = blocksOf(network);
  const bounder = createBounder(network);
  const steps = stepPrograms(blocks);
  afterAll(async () => {
    await bounder.release();
    await steps.release();
  });

  test.each([
    ['time', { deadline: Date.now() - 1 }],
    ['memory', { frontier: 1 }],
  ])('%s ends the search without a verdict', async (reason, limit) => {
    const box = randomBox(4, 2, 3);
    const bounds = await bounder.preActivations(box);
    const functionals = [
      {
        terms: [
          [0, 1],
          [1, -1],
        ] as const,
        offset: 0,
      },
    ];
    const options = { ...generous, ...limit };
    const result = await searchRegions(blocks, steps, outward(box), bounds, functionals, nothing, options);
    expect(result).toMatchObject({ kind: 'open', reason });
  });
});

test('bounds that contradict each other on the whole ball prove nothing', async () => {
  const { network } = readNetwork(randomMlp([2, 4, 3, 3], 1));
  const blocks = blocksOf(network);
  const steps = stepPrograms(blocks);
  const broken = network.nodes.flatMap((node) =>
    node.kind === 'relu'
      ? [{ lower: new Float32Array(node.size).fill(1), upper: new Float32Array(node.size).fill(0.5) }]
      : [],
  );
  const functionals = [{ terms: [[0, 1]] as const, offset: 1e6 }];
  const result = await searchRegions(
    blocks,
    steps,
    outward(randomBox(2, 1, 1)),
    broken,
    functionals,
    nothing,
    generous,
  );
  expect(result).toMatchObject({ kind: 'open', reason: 'stuck' });
  await steps.release();
});
