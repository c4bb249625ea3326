import { type Estimate, type EstimateOptions, estimateRun } from '../../lib/estimate/estimate';
import { allocate, strataOf } from '../../lib/estimate/strata';
import { partOf, runOf, truthOf, world } from './simulated';

const options: EstimateOptions = {
  epsilons: [0.1],
  mode: 'batch',
  secondsPerBall: 20,
  workers: 4,
  seed: 1,
  pilot: 300,
  most: 1500,
  precision: 0.15,
  replicates: 8,
};

interface Seen {
  readonly estimate: Estimate;
  readonly truth: ReturnType<typeof truthOf>;
}

async function seen(seed: number): Promise<Seen> {
  const all = world(6000, seed);
  const pool = partOf(all.pool, 3000, seed);
  const estimate = await estimateRun(pool, { ...options, seed }, async (inputs, stage) => {
    return runOf(all, inputs, { ...options, seed: seed + stage }).batches;
  });
  return { estimate, truth: truthOf(all, options) };
}

/** More of them by `ESTIMATE_SEEDS`, since each takes about a second. */
const seeds = Array.from({ length: Number(process.env.ESTIMATE_SEEDS ?? 2) }, (_, seed) => seed);

test('in simulation the estimate is within 25 % of what the run costs, and its ranges hold the truth', async () => {
  const all: Seen[] = [];
  for (const seed of seeds) all.push(await seen(seed));
  const errors = all.flatMap(({ estimate, truth }) => [
    estimate.cpuSeconds.value / truth.cpuSeconds - 1,
    estimate.usd.value / truth.usd - 1,
  ]);
  expect(errors.filter((error) => Math.abs(error) > 0.25)).toEqual([]);
  const missed = all.filter(({ estimate: { cpuSeconds }, truth }) => {
    return truth.cpuSeconds < 0.95 * cpuSeconds.low || truth.cpuSeconds > 1.05 * cpuSeconds.high;
  });
  expect(missed.length).toBeLessThanOrEqual(Math.ceil(0.2 * seeds.length));
  const shares = all.map(({ estimate, truth }) => Math.abs(estimate.radii[0].open.value - truth.open));
  expect(Math.max(...shares)).toBeLessThan(0.02);
});

test('strata stand for all inputs that are classified as labelled, and are of one label each', () => {
  const { pool } = world(2000, 3);
  const strata = strataOf(partOf(pool, 600, 3), 1);
  const correct = pool.misclassified.reduce((sum, wrong) => sum + 1 - wrong, 0);
  const weight = strata.reduce((sum, stratum) => sum + stratum.weight, 0);
  expect(Math.abs(weight / correct - 1)).toBeLessThan(0.03);
  expect(strata.flatMap(({ label, inputs }) => inputs.filter((input) => pool.labels[input] !== label))).toEqual([]);
  const all = strata.flatMap(({ inputs }) => inputs);
  expect(new Set(all).size).toBe(all.length);
  const counts = allocate(strata, 100);
  expect(counts.every((count, h) => count >= Math.min(2, strata[h].inputs.length))).toBe(true);
});

test('a sample of everything is what the run does: verdicts are exact', async () => {
  const all = world(400, 8);
  const everything = { ...options, pilot: 400, replicates: 2 };
  const estimate = await estimateRun(all.pool, everything, async (inputs) => runOf(all, inputs, options).batches);
  const truth = truthOf(all, options);
  expect(estimate.radii[0].open.value).toBeCloseTo(truth.open, 6);
  expect(estimate.sampled).toBe(400 - estimate.misclassified);
  expect(Math.abs(estimate.cpuSeconds.value / truth.cpuSeconds - 1)).toBeLessThan(0.1);
});
