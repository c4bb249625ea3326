import { effortOf } from '../../lib/group/effort';
import type { Engine } from '../../lib/group/engine';
import { buildForest } from '../../lib/group/forest';
import type { Member } from '../../lib/group/member';
import { fingerprintsAt } from '../../lib/group/patterns';
import type { Techniques } from '../../lib/group/techniques';
import { verifyMiniBatch } from '../../lib/group/verify';
import type { Box } from '../../lib/region/box';
import { misclassification } from '../../lib/region/violation';
import type { Posterior } from '../../lib/schedule/bandit';
import { mergeRound } from '../../lib/schedule/merge';
import { unpackIds } from '../../lib/schedule/packed';
import { planRound } from '../../lib/schedule/plan-round';
import type { BallResult, BatchResult, MiniBatch } from '../../lib/schedule/records';
import { createState, type RunState } from '../../lib/schedule/state';
import { cpuClock } from './measure';

/** Balls of one radius, all of inputs that the model classifies correctly. */
export interface BallSet {
  readonly epsilon: number;
  readonly labels: readonly number[];
  box(index: number): Box;
  centre(index: number): Float32Array;
}

export interface SettleOptions {
  readonly mode: 'single' | 'batch';
  readonly secondsPerBall: number;
  /** What an earlier run learned about sizes. */
  readonly bandit: Posterior;
  /** None where they are not named. */
  readonly techniques?: Techniques;
}

export interface SettledSet {
  readonly state: RunState;
  /** Of everything: fingerprints, clustering, planning, mini-batches, merging. */
  readonly cpuSeconds: number;
  /** Mini-batches by size, of first attempts. */
  readonly sizes: ReadonlyMap<number, number>;
}

/**
 * Times the seconds of a mini-batch after which the clock ends it: only CPU-seconds are to count. On a busy machine a ball alone would otherwise get fewer of them than
 * one in company, which may use what others leave.
 */
const patience = 10;

/**
 * Settles a set as a run does, rounds, bandit, suspects and all, in this process and without storage: what the engine and the schedule
 * cost by themselves. In `single` mode nothing is clustered, and every ball is a mini-batch of its own.
 */
export async function settleSet(engine: Engine, set: BallSet, options: SettleOptions): Promise<SettledSet> {
  const clock = cpuClock();
  const count = set.labels.length;
  const { mode, secondsPerBall } = options;
  const prints =
    mode === 'batch'
      ? await fingerprintsAt(engine.bounder.programs, count, set.centre)
      : { count, bits: 1, words: new Uint32Array(count) };
  const trees = buildForest(prints, set.labels, 0);
  let state = createState({
    inputs: count,
    epsilons: [set.epsilon],
    misclassified: new Uint8Array(count),
    predicted: set.labels,
    bandit: options.bandit,
  });
  const sizes = new Map<number, number>();
  const checkpoints = new Map<number, Uint8Array>();
  for (;;) {
    const { batches } = planRound(state, trees, { run: 'bench', mode, secondsPerBall, seed: 0, workers: 1 });
    if (batches.length === 0) return { state, cpuSeconds: clock(), sizes };
    const results: BatchResult[] = [];
    for (const batch of batches) {
      if (batch.attempt === 1) sizes.set(batch.size, (sizes.get(batch.size) ?? 0) + 1);
      results.push(await verified(engine, set, batch, options, checkpoints));
    }
    state = mergeRound(state, batches, results, []).state;
  }
}

async function verified(
  engine: Engine,
  set: BallSet,
  batch: MiniBatch,
  options: SettleOptions,
  checkpoints: Map<number, Uint8Array>,
): Promise<BatchResult> {
  const clock = cpuClock();
  const started = performance.now();
  const ids = unpackIds(batch.inputs);
  const members = Array.from(ids, (input): Member => {
    const checkpoint = checkpoints.get(input);
    const violation = misclassification(set.labels[input], engine.network.classes);
    return { box: set.box(input), violation, seed: input, ...(checkpoint && { checkpoint }) };
  });
  const outcome = await verifyMiniBatch(engine, members, {
    effort: effortOf(batch.attempt, batch.kind),
    secondsPerBall: options.secondsPerBall,
    deadline: Date.now() + 1000 * patience * batch.seconds,
    ...(options.techniques && { techniques: options.techniques }),
  });
  const balls = Array.from(ids, (input, i): BallResult => {
    const member = outcome.members[i];
    if (member.verdict === 'open') {
      const { checkpoint, ...rest } = member;
      if (checkpoint) checkpoints.set(input, checkpoint);
      return { input, ...rest };
    }
    if (member.verdict === 'robust') return { input, ...member };
    const { settledBy, predicted, cpuSeconds } = member;
    return { input, verdict: 'not-robust', settledBy, predicted, witness: 'kept nowhere', cpuSeconds };
  });
  return {
    id: batch.id,
    round: batch.round,
    cpuSeconds: clock(),
    wallSeconds: (performance.now() - started) / 1000,
    peakMemoryBytes: 0,
    balls,
    ...(outcome.suspect !== undefined && { suspect: ids[outcome.suspect] }),
  };
}
