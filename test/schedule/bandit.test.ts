import { random } from '../../lib/random';
import {
  armSizes,
  asPrior,
  beliefs,
  bestSize,
  emptyPosterior,
  isInformed,
  logVelocity,
  type Posterior,
  posteriorSchema,
  recordPulls,
  recordRefinement,
  sizeSampler,
} from '../../lib/schedule/bandit';

function bestOf(posterior: Posterior): number | undefined {
  return bestSize(beliefs(posterior, 'k'));
}

/** Pulls `count` times with the velocity of a size as given, times log-normal noise. */
function play(
  velocity: (size: number) => number,
  count: number,
  seed: number,
  noise = 0.25,
): { posterior: Posterior; drawn: number[] } {
  const rng = random(seed);
  let posterior = emptyPosterior;
  const drawn: number[] = [];
  for (let pull = 0; pull < count; pull++) {
    const size = sizeSampler(beliefs(posterior, 'k'), rng)(256);
    const cpuSeconds = size / (velocity(size) * Math.exp(noise * rng.normal()));
    posterior = recordPulls(posterior, 'k', [{ size, balls: size, settled: size, cpuSeconds }]);
    drawn.push(size);
  }
  return { posterior, drawn };
}

const landscapes: [string, (size: number) => number][] = [
  ['grouping hurts: size 1 wins', (size) => 300 / size ** 0.7],
  ['a peak at 4', (size) => 50 * 2 ** -(0.8 * Math.abs(Math.log2(size) - 2))],
  [
    'a peak at 16, as measured on mnist-net_256x2',
    (size) => 1413 * Math.min(size, 16) ** 0.63 * Math.min(1, 16 / size),
  ],
  ['the larger the better', (size) => 0.01 * size ** 0.45],
  ['size does not matter', () => 7],
];

describe('the bandit', () => {
  test.each(landscapes)('%s: 50 pulls find a size within 10 % of the best', (_, velocity) => {
    const best = Math.max(...armSizes.map(velocity));
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const found = seeds.filter((seed) => velocity(bestOf(play(velocity, 50, seed).posterior)!) >= 0.9 * best);
    expect(found.length).toBeGreaterThanOrEqual(37);
  });

  test('pulls concentrate on good sizes: the last 25 of 75 lose less than 15 %', () => {
    for (const [, velocity] of landscapes) {
      const best = Math.max(...armSizes.map(velocity));
      const late = Array.from({ length: 10 }, (_, seed) => play(velocity, 75, seed).drawn.slice(50)).flat();
      const mean = late.reduce((sum, size) => sum + velocity(size), 0) / late.length;
      expect(mean).toBeGreaterThan(0.85 * best);
    }
  });

  test('without experience every size is drawn about as often as any other, and none above the largest allowed', () => {
    const draw = sizeSampler(beliefs(emptyPosterior, 'k'), random(3));
    const counts = new Map<number, number>();
    for (let i = 0; i < 4500; i++) {
      const size = draw(256);
      counts.set(size, (counts.get(size) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([...armSizes]);
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(120);
    expect(Array.from({ length: 200 }, () => draw(5)).every((size) => size <= 5)).toBe(true);
    expect(draw(1)).toBe(1);
  });

  test('many draws at once spread over the arms that may still be the best', () => {
    const { posterior } = play((size) => (size === 8 || size === 16 ? 10 : 1), 60, 5);
    const draw = sizeSampler(beliefs(posterior, 'k'), random(8));
    const drawn = Array.from({ length: 300 }, () => draw(256));
    const good = drawn.filter((size) => size === 8 || size === 16);
    expect(good.length).toBeGreaterThan(240);
    expect(new Set(good).size).toBe(2);
  });

  test('the posterior of an arm is the normal-inverse-gamma one of its log velocities', () => {
    const pulls = [10, 20, 40].map((velocity) => ({ size: 4, balls: 4, settled: 4, cpuSeconds: 4 / velocity }));
    const [, , arm] = beliefs(recordPulls(emptyPosterior, 'k', pulls), 'k');
    // A lone arm's prior mean is its own mean, so b only grows by half the sum of squares: ln(2)^2.
    expect(arm).toMatchObject({ size: 4, pulls: 3, k: 3.1, a: 3.5 });
    expect(arm.mean).toBeCloseTo(Math.log(20), 12);
    expect(arm.b).toBeCloseTo(0.32 + Math.log(2) ** 2, 12);
  });

  test('an arm never pulled is expected to be like the nearest that were', () => {
    const pull = (size: number, velocity: number) => ({ size, balls: 1, settled: 1, cpuSeconds: 1 / velocity });
    const posterior = recordPulls(emptyPosterior, 'k', [pull(1, Math.E), pull(256, Math.E ** 5)]);
    const [, two, , , sixteen, , , large] = beliefs(posterior, 'k').map((arm) => arm.mean);
    expect(two).toBeLessThan(1.1);
    expect(sixteen).toBeCloseTo(3, 9);
    expect(large).toBeGreaterThan(4.9);
  });

  test('a pull that settled nothing is worse than one ball in the same time, and finite', () => {
    const nothing = logVelocity({ balls: 64, settled: 0, cpuSeconds: 3 }, undefined);
    expect(nothing).toBeLessThan(logVelocity({ balls: 64, settled: 1, cpuSeconds: 3 }, undefined));
    expect(Number.isFinite(nothing)).toBe(true);
    expect(Number.isFinite(logVelocity({ balls: 1, settled: 0, cpuSeconds: 0 }, 0))).toBe(true);
    const useless = (size: number): number => (size > 8 ? 0 : 5 * size ** 0.2);
    let posterior = emptyPosterior;
    const rng = random(4);
    for (let pull = 0; pull < 60; pull++) {
      const size = sizeSampler(beliefs(posterior, 'k'), rng)(256);
      const settled = useless(size) > 0 ? size : 0;
      const cpuSeconds = size / (useless(size) || 5);
      posterior = recordPulls(posterior, 'k', [{ size, balls: size, settled, cpuSeconds }]);
    }
    expect(bestOf(posterior)).toBeLessThanOrEqual(8);
  });

  test('balls left open are charged with what they cost afterwards', () => {
    // Size 64 settles 40 in 1 s, size 1 one in 0.05 s: 40/s against 20/s, until it is known that each of the 24 others costs 1 s.
    const pulls = Array.from({ length: 12 }, () => [
      { size: 64, balls: 64, settled: 40, cpuSeconds: 1 },
      { size: 1, balls: 64, settled: 64, cpuSeconds: 3.2 },
    ]).flat();
    const before = recordPulls(emptyPosterior, 'k', pulls);
    expect(bestOf(before)).toBe(64);
    expect(bestOf(recordRefinement(before, 'k', { cpuSeconds: 10, balls: 10 }))).toBe(1);
    expect(bestOf(recordRefinement(before, 'k', { cpuSeconds: 0.1, balls: 10 }))).toBe(64);
  });

  test('experience survives as JSON and weighs less in the next run', () => {
    const { posterior } = play((size) => 10 * size ** 0.3, 200, 6);
    const grown = recordRefinement(posterior, 'k', { cpuSeconds: 500, balls: 1000 });
    const saved = posteriorSchema.parse(JSON.parse(JSON.stringify(grown)));
    expect(saved).toEqual(grown);
    const reused = asPrior(saved);
    expect(beliefs(reused, 'k').every((arm) => arm.pulls <= 8)).toBe(true);
    expect(reused.keys.k.refinement).toEqual({ cpuSeconds: 32, balls: 64 });
    expect(isInformed(reused, 'k')).toBe(true);
    expect(isInformed(reused, 'another radius')).toBe(false);
    expect(bestOf(reused)).toBeGreaterThanOrEqual(64);
    expect(bestOf(emptyPosterior)).toBeUndefined();
  });

  test('an arm remembers a bounded number of pulls, the latest', () => {
    const slow = Array.from({ length: 100 }, () => ({ size: 2, balls: 2, settled: 2, cpuSeconds: 10 }));
    const fast = Array.from({ length: 100 }, () => ({ size: 2, balls: 2, settled: 2, cpuSeconds: 0.1 }));
    const posterior = recordPulls(emptyPosterior, 'k', [...slow, ...fast]);
    const arm = beliefs(posterior, 'k')[1];
    expect(arm.pulls).toBeLessThanOrEqual(32);
    expect(arm.mean).toBeCloseTo(Math.log(20), 6);
  });
});
