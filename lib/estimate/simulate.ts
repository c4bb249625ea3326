import type { Usage } from '../cost/usage';
import type { ClusterTree } from '../group/tree';
import { type Random, random } from '../random';
import { emptyPosterior } from '../schedule/bandit';
import { mergeRound } from '../schedule/merge';
import { unpackIds } from '../schedule/packed';
import { type PlanOptions, planRound } from '../schedule/plan-round';
import type { BallResult, BatchResult, MiniBatch } from '../schedule/records';
import { createState } from '../schedule/state';
import { summarise } from '../schedule/summary';
import { balancedTree } from './balanced';
import type { Attempt, FirstAttempts, Observed } from './observed';
import type { Stratum } from './strata';

/** A run as it would go, on a population made of what the sample showed. */
export interface SimulatedRun {
  readonly cpuSeconds: number;
  readonly usage: Usage;
  /** From the first mini-batch to the last, with all workers at work. */
  readonly wallSeconds: number;
  /** Balls by verdict, in the order of the radii. */
  readonly radii: readonly { readonly robust: number; readonly notRobust: number; readonly open: number }[];
}

export interface SimulationOptions extends Omit<PlanOptions, 'run'> {
  readonly epsilons: readonly number[];
  /** Inputs simulated; what they cost is multiplied up to the whole. */
  readonly inputs: number;
}

/** The sampled inputs of a stratum, and how many inputs they stand for. */
export interface Represented {
  readonly stratum: Stratum;
  readonly sampled: readonly number[];
}

/**
 * Runs the coordinator itself (`planRound`, `mergeRound`) over as many inputs as the strata stand for, or `options.inputs` in the same
 * proportions. Each stands for a sampled input and behaves as that one did: open or settled at the same attempt, later attempts in
 * the same time, first attempts by the fitted law. So the cost of learning sizes, of rounds and of what is left open is that of
 * the real schedule, whatever the sample's own mini-batches were.
 */
export function simulateRun(
  strata: readonly Represented[],
  observed: Observed,
  law: FirstAttempts,
  options: SimulationOptions,
): SimulatedRun {
  const { epsilons, seed, workers } = options;
  const weight = strata.reduce((sum, { stratum }) => sum + stratum.weight, 0);
  const inputs = Math.max(1, Math.min(options.inputs, Math.round(weight)));
  const factor = weight / inputs;
  const { twins, trees } = population(strata, inputs, random(seed, 31));
  let state = createState({
    inputs,
    epsilons,
    misclassified: new Uint8Array(inputs),
    predicted: new Int32Array(inputs),
    bandit: emptyPosterior,
  });
  let wallSeconds = 0;
  for (;;) {
    const { batches } = planRound(state, trees, { ...options, run: 'estimate' });
    if (batches.length === 0) break;
    const results = batches.map((batch) => resultOf(batch, (input) => observed.get(twins[input]) ?? [], law));
    const walls = results.map((result) => result.wallSeconds);
    const work = walls.reduce((sum, seconds) => sum + seconds, 0);
    wallSeconds += Math.max((work * factor) / workers, ...largest(walls));
    state = mergeRound(state, batches, results, []).state;
  }
  return {
    cpuSeconds: state.cpuSeconds * factor,
    wallSeconds,
    usage: grown(state.usage, factor),
    radii: summarise(state).radii.map((radius) => ({
      robust: radius.robust * factor,
      notRobust: radius['not-robust'] * factor,
      open: radius.unknown * factor,
    })),
  };
}

function largest(values: readonly number[]): number[] {
  return [values.reduce((most, value) => Math.max(most, value), 0)];
}

/** Everything but the rounds grows with the inputs. */
function grown(usage: Usage, factor: number): Usage {
  const { rounds, ...counts } = usage;
  const times = Object.entries(counts).map(([name, value]) => [name, value * factor]);
  return { ...(Object.fromEntries(times) as typeof counts), rounds };
}

/** Which sampled input each simulated one stands for, and cluster trees in which the inputs of a stratum are neighbours. */
function population(
  strata: readonly Represented[],
  inputs: number,
  rng: Random,
): { twins: Uint32Array; trees: Map<number, ClusterTree> } {
  const used = strata.filter(({ sampled }) => sampled.length > 0);
  const weight = used.reduce((sum, { stratum }) => sum + stratum.weight, 0);
  const twins = new Uint32Array(inputs);
  const members = new Map<number, number[]>();
  let next = 0;
  let upTo = 0;
  for (const { stratum, sampled } of used) {
    upTo += stratum.weight;
    const end = Math.round((upTo / weight) * inputs);
    const ofLabel = members.get(stratum.label) ?? [];
    members.set(stratum.label, ofLabel);
    // As often each, the remainder by lot.
    const turn = rng.int(sampled.length);
    for (let k = 0; next < end; next++, k++) {
      twins[next] = sampled[(turn + k) % sampled.length];
      ofLabel.push(next);
    }
  }
  const trees = [...members].filter(([, own]) => own.length > 0);
  return { twins, trees: new Map(trees.map(([label, own]) => [label, balancedTree(own)])) };
}

function resultOf(
  batch: MiniBatch,
  attemptsOf: (input: number) => readonly (readonly Attempt[])[],
  law: FirstAttempts,
): BatchResult {
  let cpuSeconds = law.perCall;
  const balls = [...unpackIds(batch.inputs)].map((input): BallResult => {
    const attempts = attemptsOf(input)[batch.epsilon] ?? [];
    const attempt = attempts[Math.min(batch.attempt, attempts.length) - 1];
    const seconds =
      batch.attempt === 1 ? law.perBall + (attempt.verdict === 'robust' ? 0 : law.perDoubtful) : attempt.seconds;
    cpuSeconds += seconds;
    return ballOf(input, attempt.verdict, seconds);
  });
  const wallSeconds = cpuSeconds * law.wallPerCpu;
  return { id: batch.id, round: batch.round, cpuSeconds, wallSeconds, peakMemoryBytes: 0, balls };
}

function ballOf(input: number, verdict: Attempt['verdict'], cpuSeconds: number): BallResult {
  switch (verdict) {
    case 'robust':
      return { input, verdict, settledBy: 'sample', margin: 1, cpuSeconds };
    case 'not-robust':
      return { input, verdict, settledBy: 'sample', predicted: 0, witness: '-', cpuSeconds };
    case 'open':
      return { input, verdict, reason: 'time', cpuSeconds };
  }
}
