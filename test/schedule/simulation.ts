import { balancedTree } from '../../lib/estimate/balanced';
import type { ClusterTree } from '../../lib/group/tree';
import { type Random, random, shuffled } from '../../lib/random';
import { emptyPosterior } from '../../lib/schedule/bandit';
import { type MergedRound, mergeRound } from '../../lib/schedule/merge';
import { unpackIds } from '../../lib/schedule/packed';
import { type PlanOptions, planRound } from '../../lib/schedule/plan-round';
import type { BallResult, BatchFailure, BatchResult, MiniBatch } from '../../lib/schedule/records';
import { createState, type NewRun, type RunState } from '../../lib/schedule/state';

/** A balanced cluster tree of the inputs in random order: for schedules, not for similarity. */
export function anyTree(inputs: ArrayLike<number>, seed: number): ClusterTree {
  return balancedTree(shuffled(inputs.length, random(seed)).map((i) => inputs[i]));
}

/** Trees of inputs labelled input % labels. */
export function anyTrees(inputs: number, labels: number): Map<number, ClusterTree> {
  const members = Array.from({ length: labels }, () => [] as number[]);
  for (let input = 0; input < inputs; input++) members[input % labels].push(input);
  return new Map(members.map((ofLabel, label) => [label, anyTree(ofLabel, label)]));
}

export function newRun(run: Partial<NewRun> & { inputs: number }): RunState {
  return createState({
    epsilons: [0.01],
    misclassified: new Uint8Array(run.inputs),
    predicted: new Int32Array(run.inputs),
    bandit: emptyPosterior,
    ...run,
  });
}

export const planOptions: PlanOptions = { run: 'test', mode: 'batch', secondsPerBall: 1, seed: 1, workers: 2 };

export function robust(input: number, cpuSeconds = 0.1): BallResult {
  return { input, verdict: 'robust', settledBy: 'bound', margin: 0.5, cpuSeconds };
}

export function notRobust(input: number, cpuSeconds = 0.1): BallResult {
  const witness = `proofs/${input}.npy`;
  return { input, verdict: 'not-robust', settledBy: 'attack', predicted: 1, witness, cpuSeconds };
}

export function leftOpen(input: number, margin?: number, cpuSeconds = 0.1): BallResult {
  return { input, verdict: 'open', reason: 'time', cpuSeconds, ...(margin !== undefined && { margin }) };
}

/** A result of the mini-batch with each member's part as `judge` says. */
export function resultOf(batch: MiniBatch, judge: (input: number) => BallResult): BatchResult {
  const balls = [...unpackIds(batch.inputs)].map(judge);
  const cpuSeconds = balls.reduce((sum, ball) => sum + ball.cpuSeconds, 0);
  return { id: batch.id, round: batch.round, cpuSeconds, wallSeconds: cpuSeconds, peakMemoryBytes: 1e8, balls };
}

/** What the workers of one round hand back. */
export interface RoundResults {
  readonly results: BatchResult[];
  readonly failures: BatchFailure[];
}

export interface SimulatedRound {
  readonly before: RunState;
  readonly batches: MiniBatch[];
  readonly long: boolean;
  readonly merged: MergedRound;
}

/** Runs rounds until none is planned, and returns them; an Error after `most` of them. */
export function simulate(
  start: RunState,
  trees: ReadonlyMap<number, ClusterTree>,
  options: PlanOptions,
  work: (batches: MiniBatch[], rng: Random) => RoundResults,
  most: number,
): SimulatedRound[] {
  const rounds: SimulatedRound[] = [];
  for (let state = start; ; ) {
    const { batches, long } = planRound(state, trees, options);
    if (batches.length === 0) return rounds;
    if (rounds.length === most) throw new Error(`round ${most} is still not the last`);
    const { results, failures } = work(batches, random(options.seed, rounds.length, 99));
    const merged = mergeRound(state, batches, results, failures);
    rounds.push({ before: state, batches, long, merged });
    state = merged.state;
  }
}
