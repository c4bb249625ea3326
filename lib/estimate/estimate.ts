import { type Cost, costOf } from '../cost/cost';
import { type Random, random } from '../random';
import { fitFirstAttempts, type Observed, observe, type SampledBatch, secondsOf } from './observed';
import { type Represented, type SimulatedRun, type SimulationOptions, simulateRun } from './simulate';
import { allocate, draw, type Pool, type Stratum, strataOf } from './strata';

/** An expected value, and the interval between the smallest and the largest of the replicates: of 40, some 95 % confidence. */
export interface Range {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface RadiusEstimate {
  readonly epsilon: number;
  /** Shares of all inputs. */
  readonly robust: Range;
  readonly notRobust: Range;
  /** Expected to stay `unknown`. */
  readonly open: Range;
}

/** What a run is expected to take. */
export interface Estimate {
  readonly inputs: number;
  readonly balls: number;
  /** Inputs looked at, of these misclassified, and verified. */
  readonly pool: number;
  readonly misclassified: number;
  readonly sampled: number;
  readonly strata: number;
  readonly cpuSeconds: Range;
  readonly usd: Range;
  /** Of the mini-batches with all workers at work; planning and starting come on top. */
  readonly minutes: Range;
  readonly radii: readonly RadiusEstimate[];
  /** By service, at the expected value. */
  readonly cost: Cost;
}

export interface EstimateOptions extends Pick<SimulationOptions, 'epsilons' | 'mode' | 'secondsPerBall' | 'workers'> {
  readonly seed: number;
  /** Inputs of the first sample, and of both together at most. */
  readonly pilot: number;
  readonly most: number;
  /** Relative half-width of the interval of CPU-seconds that the second sample is to reach. */
  readonly precision: number;
  /** Times that the sample is sampled anew for the ranges (40). */
  readonly replicates?: number;
}

/** Verifies inputs as the run would, every radius and attempt; `stage` 0 or 1. */
export type RunSample = (inputs: readonly number[], stage: number) => Promise<readonly SampledBatch[]>;

/** Inputs of the simulated run: beyond them its cost grows in proportion. */
const simulatedInputs = 20_000;
const quantile = 1.96;

/**
 * Estimates a run from a stratified sample in two stages: a pilot in proportion to the strata, then as many more, where they lower the
 * variance most, as `precision` takes (Neyman allocation; Cochran 1977, sections 5.5 and 12.2). What the run costs is that of the real
 * schedule over a population made of the sample (`simulateRun`). Its range: the sample of each stratum is drawn anew from itself, one smaller
 * (Rao and Wu 1988, "Resampling inference with complex survey data"), and the schedule simulated again.
 */
export async function estimateRun(pool: Pool, options: EstimateOptions, runSample: RunSample): Promise<Estimate> {
  const { epsilons, seed, pilot, most } = options;
  const rng = random(seed, 17);
  const strata = strataOf(pool, seed).filter(({ inputs }) => inputs.length > 0);
  const batches: SampledBatch[] = [];
  let observed: Observed = new Map();
  const sample = async (allocation: readonly number[], stage: number): Promise<void> => {
    const inputs = draw(strata, allocation, (input) => observed.has(input), rng);
    if (inputs.length > 0) batches.push(...(await runSample(inputs, stage)));
    observed = observe(batches, epsilons.length);
  };
  await sample(allocate(strata, pilot), 0);
  const spreads = spreadsOf(strata, observed);
  const wanted = Math.min(most, sampleSize(strata, spreads, observed, options.precision));
  if (wanted > observed.size) await sample(allocate(strata, wanted, spreads), 1);
  return extrapolate(pool, strata, observed, batches, options, rng);
}

/** What a stratum's sampled inputs are. */
function represented(strata: readonly Stratum[], observed: Observed): Represented[] {
  return strata.map((stratum) => ({ stratum, sampled: stratum.inputs.filter((input) => observed.has(input)) }));
}

function momentsOf(stratum: Stratum, observed: Observed): { mean: number; deviation: number; count: number } {
  const values = stratum.inputs.flatMap((input) => {
    const attempts = observed.get(input);
    return attempts === undefined ? [] : [secondsOf(attempts)];
  });
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)), count: values.length };
}

/** Inputs that the pooled spread counts for beside a stratum's own. */
const pooledCount = 30;

/**
 * Standard deviation of seconds within each stratum, drawn towards that of all. Costs are skewed: a stratum in whose pilot no hard input
 * happened to be would otherwise get no more of the sample, and remain underestimated, while the others are corrected.
 */
function spreadsOf(strata: readonly Stratum[], observed: Observed): number[] {
  const moments = strata.map((stratum) => momentsOf(stratum, observed));
  const weight = strata.reduce((sum, stratum) => sum + stratum.weight, 0);
  const mean = moments.reduce((sum, moment, h) => sum + strata[h].weight * moment.mean, 0) / weight;
  const pooled = moments.reduce(
    (sum, moment, h) => sum + strata[h].weight * (moment.deviation ** 2 + (moment.mean - mean) ** 2),
    0,
  );
  return moments.map(({ deviation, count }) => {
    const variance = (count * deviation ** 2 + (pooledCount * pooled) / weight) / (count + pooledCount);
    return Math.max(Math.sqrt(variance), 1e-9);
  });
}

/** Sampled inputs that bring the half-width of the sum of seconds down to `precision` of it, under Neyman allocation. */
function sampleSize(
  strata: readonly Stratum[],
  spreads: readonly number[],
  observed: Observed,
  precision: number,
): number {
  const total = strata.reduce((sum, stratum) => sum + stratum.weight * momentsOf(stratum, observed).mean, 0);
  const root = strata.reduce((sum, { weight }, h) => sum + weight * spreads[h], 0);
  const finite = strata.reduce((sum, { weight }, h) => sum + weight * spreads[h] ** 2, 0);
  const variance = (precision * total) ** 2 / quantile ** 2;
  return variance + finite > 0 ? Math.ceil(root ** 2 / (variance + finite)) : 0;
}

function extrapolate(
  pool: Pool,
  strata: readonly Stratum[],
  observed: Observed,
  batches: readonly SampledBatch[],
  options: EstimateOptions,
  rng: Random,
): Estimate {
  const { epsilons, mode, secondsPerBall, workers, seed, replicates = 40 } = options;
  const inputs = pool.labels.length;
  const balls = inputs * epsilons.length;
  const law = fitFirstAttempts(batches);
  const simulation = { epsilons, mode, secondsPerBall, workers, seed, inputs: simulatedInputs };
  const own = represented(strata, observed);
  const expected = simulateRun(own, observed, law, simulation);
  const again = Array.from({ length: replicates }, () => simulateRun(own.map(redrawn(rng)), observed, law, simulation));
  const costed = ({ usage }: SimulatedRun): Cost =>
    costOf(usage, { inputs, balls, workers, kind: 'local', architecture: 'arm64' });
  const range = (of: (run: SimulatedRun) => number): Range => rangeOf(of(expected), again.map(of));
  return {
    inputs,
    balls,
    pool: pool.inputs.length,
    misclassified: pool.misclassified.reduce((sum, value) => sum + value, 0),
    sampled: observed.size,
    strata: strata.length,
    cpuSeconds: range((run) => run.cpuSeconds),
    usd: range((run) => costed(run).usd),
    minutes: range((run) => run.wallSeconds / 60),
    radii: epsilons.map((epsilon, k) => ({
      epsilon,
      robust: range((run) => run.radii[k].robust / inputs),
      notRobust: range((run) => run.radii[k].notRobust / inputs),
      open: range((run) => run.radii[k].open / inputs),
    })),
    cost: costed(expected),
  };
}

/** A stratum's sample drawn from itself with replacement, one smaller. */
function redrawn(rng: Random): (own: Represented) => Represented {
  return ({ stratum, sampled }) => ({
    stratum,
    sampled: Array.from({ length: Math.max(1, sampled.length - 1) }, () => sampled[rng.int(sampled.length)]),
  });
}

function rangeOf(value: number, replicates: readonly number[]): Range {
  return { value, low: Math.min(value, ...replicates), high: Math.max(value, ...replicates) };
}
