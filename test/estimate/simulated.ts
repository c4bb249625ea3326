import { costOf } from '../../lib/cost/cost';
import type { EstimateOptions } from '../../lib/estimate/estimate';
import type { SampledBatch } from '../../lib/estimate/observed';
import type { Pool } from '../../lib/estimate/strata';
import { createFingerprints } from '../../lib/group/fingerprint';
import { buildForest } from '../../lib/group/forest';
import { random, shuffled } from '../../lib/random';
import { emptyPosterior } from '../../lib/schedule/bandit';
import { mergeRound } from '../../lib/schedule/merge';
import { unpackIds } from '../../lib/schedule/packed';
import { planRound } from '../../lib/schedule/plan-round';
import type { BallResult, BatchResult, MiniBatch } from '../../lib/schedule/records';
import { createState, type RunState } from '../../lib/schedule/state';
import { summarise } from '../../lib/schedule/summary';

/** A data set whose balls have known, heavy-tailed costs; hard ones are more frequent in some clusters. */
export interface World {
  readonly pool: Pool;
  readonly epsilons: readonly number[];
  /** What a mini-batch of these balls does. */
  readonly work: (batch: MiniBatch, inputs: readonly number[]) => BatchResult;
}

const labels = 5;
const clusters = 6;

/**
 * `perCall` to `perDoubtful`: the law of first attempts in CPU-seconds; a share of balls that differs by cluster withstands it, and is settled
 * later in a log-normal time, or never.
 */
export function world(inputs: number, seed: number): World {
  const rng = random(seed, 5);
  const law = { perCall: 0.02 * rng.uniform(), perBall: 0.002 + 0.01 * rng.uniform(), perDoubtful: 0.03 };
  const median = 0.2 + 2 * rng.uniform();
  const hardness = Array.from({ length: labels * clusters }, () => 0.25 * rng.uniform() ** 2);
  const clusterOf = Uint8Array.from({ length: inputs }, () => rng.int(clusters));
  const labelOf = Int32Array.from({ length: inputs }, (_, i) => i % labels);
  const misclassified = Uint8Array.from({ length: inputs }, () => (rng.uniform() < 0.04 ? 1 : 0));
  const prints = createFingerprints(inputs, 64);
  const centres = Uint32Array.from({ length: 2 * clusters }, () => rng.int(2 ** 32));
  for (let i = 0; i < inputs; i++) {
    for (const w of [0, 1]) {
      const noise = rng.int(2 ** 32) & rng.int(2 ** 32) & rng.int(2 ** 32) & rng.int(2 ** 32);
      prints.words[2 * i + w] = centres[2 * clusterOf[i] + w] ^ noise;
    }
  }
  /** Seconds until a ball is settled that the first attempt leaves; 0: the first attempt settles it. */
  const difficulty = Float64Array.from({ length: inputs }, (_, i) => {
    const share = hardness[labelOf[i] * clusters + clusterOf[i]];
    return rng.uniform() < share ? median * Math.exp(1.2 * rng.normal()) : 0;
  });
  const work = (batch: MiniBatch, own: readonly number[]): BatchResult => {
    let cpuSeconds = law.perCall;
    const balls = own.map((input): BallResult => {
      const hard = difficulty[input];
      const limit = batch.attempt === 2 ? 5 : 15;
      const seconds =
        batch.attempt === 1 ? law.perBall + (hard > 0 ? law.perDoubtful : 0) : Math.min(hard, limit) + 0.01;
      cpuSeconds += seconds;
      const settled = hard === 0 || (batch.attempt > 1 && hard <= limit);
      return settled
        ? { input, verdict: 'robust', settledBy: 'bound', margin: 1, cpuSeconds: seconds }
        : { input, verdict: 'open', reason: 'time', cpuSeconds: seconds };
    });
    return { id: batch.id, round: batch.round, cpuSeconds, wallSeconds: cpuSeconds, peakMemoryBytes: 0, balls };
  };
  const everyone = Uint32Array.from({ length: inputs }, (_, i) => i);
  return { pool: { labels: labelOf, inputs: everyone, misclassified, prints }, epsilons: [0.1], work };
}

/** The pool of a random part of the inputs. */
export function partOf({ labels: all, misclassified, prints }: Pool, count: number, seed: number): Pool {
  const inputs = shuffled(all.length, random(seed, 6)).slice(0, count).sort();
  const part = createFingerprints(count, prints.bits);
  const width = prints.words.length / prints.count;
  for (const [row, input] of inputs.entries())
    part.words.set(prints.words.subarray(input * width, (input + 1) * width), row * width);
  return { labels: all, inputs, misclassified: Uint8Array.from(inputs, (input) => misclassified[input]), prints: part };
}

/** Verifies these inputs by the real schedule; gives the end, and every mini-batch. */
export function runOf(
  { pool, epsilons, work }: World,
  inputs: readonly number[],
  options: Pick<EstimateOptions, 'mode' | 'secondsPerBall' | 'workers' | 'seed'>,
): { state: RunState; batches: SampledBatch[] } {
  const own = createFingerprints(inputs.length, pool.prints.bits);
  const width = own.words.length / inputs.length;
  for (const [row, input] of inputs.entries())
    own.words.set(pool.prints.words.subarray(input * width, (input + 1) * width), row * width);
  const wrong = Uint8Array.from(inputs, (input) => pool.misclassified[input]);
  const trees = buildForest(
    own,
    inputs.map((input) => pool.labels[input]),
    1,
    (i) => wrong[i] === 1,
  );
  let state = createState({
    inputs: inputs.length,
    epsilons,
    misclassified: wrong,
    predicted: new Int32Array(inputs.length),
    bandit: emptyPosterior,
  });
  const batches: SampledBatch[] = [];
  for (;;) {
    const plan = planRound(state, trees, { run: 'r', ...options });
    if (plan.batches.length === 0) return { state, batches };
    const results = plan.batches.map((batch) => {
      const members = [...unpackIds(batch.inputs)];
      const result = work(
        batch,
        members.map((i) => inputs[i]),
      );
      batches.push({ batch, inputs: members.map((i) => inputs[i]), result });
      return { ...result, balls: result.balls.map((ball, k) => ({ ...ball, input: members[k] })) };
    });
    state = mergeRound(state, plan.batches, results, []).state;
  }
}

/** What the run over everything really costs. */
export function truthOf(all: World, options: Pick<EstimateOptions, 'mode' | 'secondsPerBall' | 'workers' | 'seed'>) {
  const inputs = all.pool.labels.length;
  const { state } = runOf(
    all,
    Array.from({ length: inputs }, (_, i) => i),
    options,
  );
  const shared = { inputs, balls: inputs, workers: options.workers, kind: 'local', architecture: 'arm64' } as const;
  return {
    cpuSeconds: state.cpuSeconds,
    usd: costOf(state.usage, shared).usd,
    open: summarise(state).radii[0].unknown / inputs,
  };
}
