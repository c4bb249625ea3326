import { random } from '../../lib/random';
import {
  armSizes,
  asPrior,
  beliefs,
  bestSize,
  emptyPosterior,
  type Posterior,
  pooledBalls,
  recordPulls,
  sizeSampler,
} from '../../lib/schedule/bandit';
import { labelBeliefs, labelKey } from '../../lib/schedule/label-beliefs';

/** True velocity (balls per CPU-second) of mini-batches of a size. */
type Landscape = (size: number) => number;

/** Scatter of the log velocity of full pulls. */
const noise = 0.3;

/** Half as fast at a size 3.2 times too large or too small. */
const peakAt =
  (best: number, height = 100): Landscape =>
  (size) =>
    height * 2 ** (-0.6 * Math.abs(Math.log2(size / best)));

/** Grouping hurts: a mini-batch of two is a fifth slower than two alone, and so on. */
const alone: Landscape = (size) => 300 / size ** 0.35;

/** `pulls` of every label in turn, each of a size drawn from what is believed then, recorded as a run records them (lib/schedule/learn.ts). */
function play(labels: readonly Landscape[], pulls: number, seed: number, start = emptyPosterior): Posterior {
  const rng = random(seed, 17);
  let posterior = start;
  for (let pull = 0; pull < pulls; pull++) {
    const believed = labelBeliefs(posterior, 'radius');
    for (const [label, velocity] of labels.entries()) {
      const size = sizeSampler(believed(label), rng)(256);
      const cpuSeconds = pooledBalls / (velocity(size) * Math.exp(noise * rng.normal()));
      const one = [{ size, balls: pooledBalls, settled: pooledBalls, cpuSeconds }];
      posterior = recordPulls(recordPulls(posterior, 'radius', one), labelKey('radius', label), one);
    }
  }
  return posterior;
}

/** The share of velocity that each label's chosen size loses against its best one. */
function regretsOf(labels: readonly Landscape[], posterior: Posterior): number[] {
  return labels.map((velocity, label) => {
    const size = bestSize(labelBeliefs(posterior, 'radius')(label));
    return size === undefined ? 1 : 1 - velocity(size) / Math.max(...armSizes.map(velocity));
  });
}

const seeds = Array.from({ length: 20 }, (_, seed) => seed);

/** Over seeds and labels: the mean regret, and the share of choices that lose at most a tenth. */
function summaryOf(regrets: readonly number[]): { mean: number; good: number } {
  const mean = regrets.reduce((sum, regret) => sum + regret, 0) / regrets.length;
  return { mean, good: regrets.filter((regret) => regret <= 0.1).length / regrets.length };
}

describe('regret of the sizes chosen after 50 pulls of a label', () => {
  test.each<[string, Landscape[]]>([
    ['one label, a peak at 16', [peakAt(16)]],
    ['labels alike, of different hardness', [peakAt(32, 20), peakAt(32, 100), peakAt(32, 700)]],
    ['the best size differs by label: 1, 8 and 128', [peakAt(1), peakAt(8), peakAt(128)]],
    ['one label where grouping hurts among others where it helps', [peakAt(64), alone, peakAt(64, 30)]],
  ])('%s: at most 10 %% in the mean, and for 95 %% of the choices', (_, labels) => {
    const { mean, good } = summaryOf(seeds.flatMap((seed) => regretsOf(labels, play(labels, 50, seed))));
    expect(mean).toBeLessThanOrEqual(0.1);
    expect(good).toBeGreaterThanOrEqual(0.95);
  });

  test('where grouping hurts size 1 is chosen, for 95 % of the seeds', () => {
    const chosen = seeds.map((seed) => bestSize(labelBeliefs(play([alone], 50, seed), 'radius')(0)));
    expect(chosen.filter((size) => size === 1).length / seeds.length).toBeGreaterThanOrEqual(0.95);
  });

  test('without labels the sizes that differ by label are not found: what they are for', () => {
    const labels = [peakAt(1), peakAt(8), peakAt(128)];
    const common = bestSize(beliefs(play(labels, 50, 1), 'radius'))!;
    const regrets = labels.map((velocity) => 1 - velocity(common) / Math.max(...armSizes.map(velocity)));
    expect(summaryOf(regrets).mean).toBeGreaterThan(0.3);
  });
});

describe('what labels have in common', () => {
  const labels = Array.from({ length: 6 }, (_, label) => peakAt(32, 20 * 2 ** label));

  test('a label that was never pulled is believed to be like the others where these agree', () => {
    const posterior = play(labels, 20, 3);
    expect([16, 32, 64]).toContain(mostLikely(posterior, 77));
    const draw = sizeSampler(labelBeliefs(posterior, 'radius')(77), random(5));
    const good = Array.from({ length: 200 }, () => draw(256)).filter((size) => size >= 16 && size <= 64);
    expect(good.length).toBeGreaterThan(140);
  });

  test('without any label they are believed to be what is believed of the radius', () => {
    const one = [{ size: 8, balls: 256, settled: 256, cpuSeconds: 3 }];
    const posterior = recordPulls(emptyPosterior, 'radius', one);
    expect(labelBeliefs(posterior, 'radius')(4)).toEqual(beliefs(posterior, 'radius'));
  });

  test('a few balls of a label count as the part of a pull that they are', () => {
    const full = [{ size: 8, balls: 256, settled: 256, cpuSeconds: 3 }];
    const few = [{ size: 8, balls: 16, settled: 16, cpuSeconds: 0.02 }];
    const others = recordPulls(emptyPosterior, labelKey('radius', 0), [...full, ...full, ...full]);
    const belief = (pulls: typeof full) =>
      labelBeliefs(recordPulls(others, labelKey('radius', 1), pulls), 'radius')(1)[3];
    expect(belief(full).k - belief(few).k).toBeGreaterThan(0.8);
    expect(belief(few).pulls).toBe(1);
  });

  test('as the prior of the next run, 5 pulls of each label are enough', () => {
    const mixed = [peakAt(1), peakAt(16), peakAt(128)];
    const regrets = seeds.slice(0, 8).flatMap((seed) => {
      const saved = JSON.parse(JSON.stringify(asPrior(play(mixed, 50, seed)))) as Posterior;
      return regretsOf(mixed, play(mixed, 5, seed + 1000, saved));
    });
    expect(summaryOf(regrets).good).toBeGreaterThanOrEqual(0.95);
  });
});

/** The size of the highest mean, pulled or not. */
function mostLikely(posterior: Posterior, label: number): number {
  return [...labelBeliefs(posterior, 'radius')(label)].sort((a, b) => b.mean - a.mean)[0].size;
}
