import { z } from 'zod';
import type { Random } from '../random';

/** The arms: sizes of mini-batches. Size 1 is always one of them, so grouping can never cost much. */
export const armSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

/**
 * What some mini-batches of one arm did together. Pulls of an arm are pooled to about as many balls as the largest arm
 * has (`pooledBalls`) before they are recorded: costs of balls are heavy-tailed, and the mean log velocity of single balls
 * would flatter small sizes against the log velocity of many at once.
 */
export const pullSchema = z.strictObject({
  balls: z.int().positive(),
  settled: z.int().nonnegative(),
  /** With what the calls themselves cost (lib/cost/call.ts). */
  cpuSeconds: z.number().nonnegative(),
});
export type Pull = z.infer<typeof pullSchema>;
export const pooledBalls = 256;

/** Balls from which on a pull is full: the next mini-batch would make it larger than the largest arm. */
export const fullPull = pooledBalls / 2 + 1;

const keySchema = z.strictObject({
  /** By size, the latest pulls of the arm, oldest first. */
  arms: z.record(z.string(), z.array(pullSchema)),
  /** What the balls that a mini-batch left open cost afterwards: CPU-seconds, over so many balls. */
  refinement: z.strictObject({ cpuSeconds: z.number().nonnegative(), balls: z.int().nonnegative() }),
});
type Key = z.infer<typeof keySchema>;

/**
 * All that was learned about sizes, per key (a radius, and whether its balls are tried for the first time). Plain JSON:
 * `learned/<model-hash>.json` keeps it from one run of a model to the next.
 */
export const posteriorSchema = z.strictObject({ version: z.literal(1), keys: z.record(z.string(), keySchema) });
export type Posterior = z.infer<typeof posteriorSchema>;

export const emptyPosterior: Posterior = { version: 1, keys: {} };

/** Pulls kept per arm: older ones are forgotten, so that a change of the balls or of the machine is followed. */
const remembered = 32;

/** Settled balls that a mini-batch without any counts for: a finite logarithm that is still worse than one ball. */
const settledFloor = 0.5;

/**
 * Prior of every arm, a normal-inverse-gamma distribution of the mean and variance of log velocity: log velocities of
 * equal pulls scatter by sqrt(b / a) = 0.4, and an arm not yet pulled may differ from its neighbours by 0.4 / sqrt(k) = 1.3
 * (a factor of 3.6) either way.
 */
export const prior = { k: 0.1, a: 2, b: 0.32 };

/** The parameters of one arm's normal-inverse-gamma posterior. */
export interface ArmBelief {
  readonly size: number;
  readonly pulls: number;
  /** Expected log velocity (log of balls per CPU-second). */
  readonly mean: number;
  readonly k: number;
  readonly a: number;
  readonly b: number;
}

/** The posterior with more pulls under a key. */
export function recordPulls(
  posterior: Posterior,
  key: string,
  pulls: readonly (Pull & { readonly size: number })[],
): Posterior {
  if (pulls.length === 0) return posterior;
  const { arms, refinement } = keyOf(posterior, key);
  const grown = { ...arms };
  for (const { size, ...pull } of pulls) grown[size] = [...(grown[size] ?? []), pull].slice(-remembered);
  return { version: 1, keys: { ...posterior.keys, [key]: { arms: grown, refinement } } };
}

/** The posterior with more known of what the balls cost that mini-batches under this key left open. */
export function recordRefinement(
  posterior: Posterior,
  key: string,
  cost: { readonly cpuSeconds: number; readonly balls: number },
): Posterior {
  if (cost.balls === 0 && cost.cpuSeconds === 0) return posterior;
  const { arms, refinement } = keyOf(posterior, key);
  const cpuSeconds = refinement.cpuSeconds + cost.cpuSeconds;
  const balls = refinement.balls + cost.balls;
  return { version: 1, keys: { ...posterior.keys, [key]: { arms, refinement: { cpuSeconds, balls } } } };
}

/**
 * The posterior as the prior of another run: at most 8 pulls per arm and refinement costs of at most 64 balls, so that the
 * new run's own experience soon outweighs it.
 */
export function asPrior(posterior: Posterior): Posterior {
  const keys = Object.entries(posterior.keys).map(([name, { arms, refinement }]): [string, Key] => {
    const latest = Object.entries(arms).map(([size, pulls]): [string, Pull[]] => [size, pulls.slice(-8)]);
    const balls = Math.min(refinement.balls, 64);
    const cpuSeconds = balls === 0 ? 0 : (refinement.cpuSeconds / refinement.balls) * balls;
    return [name, { arms: Object.fromEntries(latest), refinement: { cpuSeconds, balls } }];
  });
  return { version: 1, keys: Object.fromEntries(keys) };
}

/** Whether enough is known under the key to plan most balls by it: two pulls for each of four arms, say. */
export function isInformed(posterior: Posterior, key: string): boolean {
  return Object.values(keyOf(posterior, key).arms).reduce((sum, pulls) => sum + pulls.length, 0) >= 8;
}

/**
 * Log of balls per CPU-second, including what the balls that stay open cost afterwards (`refinement`, CPU-seconds a
 * ball). As long as that is not known, balls settled per CPU-second so far.
 */
export function logVelocity(pull: Pull, refinement: number | undefined): number {
  const seconds = Math.max(pull.cpuSeconds, 1e-6);
  if (refinement === undefined) return Math.log(Math.max(pull.settled, settledFloor) / seconds);
  return Math.log(pull.balls / (seconds + (pull.balls - pull.settled) * refinement));
}

/** What is believed of every arm under a key, in the order of `armSizes`. */
export function beliefs(posterior: Posterior, key: string): ArmBelief[] {
  const logs = armLogs(posterior, key);
  const seen = logs.map((values) => ({ weight: values.length, mean: meanOf(values) }));
  return armSizes.map((size, arm) => {
    const expected = expectedFromNeighbours(arm, seen);
    const n = logs[arm].length;
    if (n === 0) return { size, pulls: 0, mean: expected, ...prior };
    const { mean } = seen[arm];
    const k = prior.k + n;
    return {
      size,
      pulls: n,
      mean: (prior.k * expected + n * mean) / k,
      k,
      a: prior.a + n / 2,
      b: prior.b + squaresAround(logs[arm], mean) / 2 + (prior.k * n * (mean - expected) ** 2) / (2 * k),
    };
  });
}

/**
 * Thompson sampling: every call draws a velocity for each arm of at most `largest` from its posterior and returns the size
 * of the fastest. Many draws may be made at once for a round that runs in parallel.
 */
export function sizeSampler(believed: readonly ArmBelief[], rng: Random): (largest: number) => number {
  return (largest) => {
    let best = -Infinity;
    let size = 1;
    for (const arm of believed) {
      if (arm.size > largest) break;
      const variance = arm.b / rng.gamma(arm.a);
      const velocity = arm.mean + rng.normal() * Math.sqrt(variance / arm.k);
      if (velocity > best) [best, size] = [velocity, arm.size];
    }
    return size;
  };
}

/** The size with the highest expected log velocity among those pulled; undefined when none was. */
export function bestSize(believed: readonly ArmBelief[]): number | undefined {
  return believed.filter((arm) => arm.pulls > 0).sort((a, b) => b.mean - a.mean)[0]?.size;
}

/**
 * What an arm's value (its velocity, or a label's deviation) is expected to be before it is pulled: the mean of the other arms', weighted
 * by their pulls and by their nearness (it changes smoothly with the logarithm of the size); its own where it is the only one pulled.
 */
export function expectedFromNeighbours(
  arm: number,
  seen: readonly { readonly weight: number; readonly mean: number }[],
): number {
  let sum = 0;
  let weights = 0;
  for (const [other, { weight: pulls, mean }] of seen.entries()) {
    if (other === arm || pulls === 0) continue;
    const weight = Math.min(pulls, 4) * 4 ** -Math.abs(other - arm);
    sum += weight * mean;
    weights += weight;
  }
  if (weights > 0) return sum / weights;
  return seen[arm].weight > 0 ? seen[arm].mean : 0;
}

/** Log velocities of every arm's pulls, in the order of `armSizes`. */
function armLogs(posterior: Posterior, key: string): number[][] {
  const { arms } = keyOf(posterior, key);
  const cost = refinementCost(posterior, key);
  return armSizes.map((size) => (arms[size] ?? []).map((pull) => logVelocity(pull, cost)));
}

/** CPU-seconds that a ball costs which a mini-batch under the key left open; undefined while not known. */
export function refinementCost(posterior: Posterior, key: string): number | undefined {
  const { refinement } = keyOf(posterior, key);
  return refinement.balls > 0 ? refinement.cpuSeconds / refinement.balls : undefined;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function squaresAround(values: readonly number[], mean: number): number {
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

function keyOf(posterior: Posterior, key: string): Key {
  return posterior.keys[key] ?? { arms: {}, refinement: { cpuSeconds: 0, balls: 0 } };
}
