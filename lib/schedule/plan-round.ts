import { cutMiniBatches, type Run, runOf } from '../group/cut';
import type { ClusterTree } from '../group/tree';
import { type Random, random } from '../random';
import { armSizes, beliefs, isInformed, sizeSampler } from './bandit';
import { choosePieces, firstTries } from './first-tries';
import { labelBeliefs } from './label-beliefs';
import { banditKey } from './learn';
import { packIds } from './packed';
import type { BatchKind, MiniBatch } from './records';
import { open, queues, type RunState, statuses } from './state';

/** Seconds that a verify call gets at most: below the 300 of an EXPRESS child, and the 900 of a Lambda. */
export const shortSeconds = 280;
export const longSeconds = 880;
/** Clock seconds of a mini-batch for each CPU-second that its balls may use: so busy may the machine be before balls are given up with time left. */
const clockPerCpu = 4;

export interface PlanOptions {
  /** Id of the run. */
  readonly run: string;
  /** `single`: every mini-batch is one ball, all of them in the first round, and the bandit is not asked. */
  readonly mode: 'batch' | 'single';
  readonly secondsPerBall: number;
  readonly seed: number;
  /** Mini-batches verified at the same time. */
  readonly workers: number;
}

export interface RoundPlan {
  /** Empty exactly when no ball is open. The ones that may take longest come first. */
  readonly batches: MiniBatch[];
  /** Whether they may take longer than `shortSeconds`, and need STANDARD children. */
  readonly long: boolean;
}

/** A mini-batch before it has a name and a time. */
type Draft = Pick<MiniBatch, 'kind' | 'epsilon' | 'label' | 'arm' | 'attempt'> & { readonly inputs: Uint32Array };

/** Open balls of one radius that are planned alike, in the order of their label's tree, and label after label. */
interface Part {
  readonly epsilon: number;
  /** The label of all of them, or by input. */
  readonly label: number | ReadonlyMap<number, number>;
  readonly kind: BatchKind;
  readonly attempt: number;
  /** Most members of a mini-batch after a crash; 0: no limit. */
  readonly limit: number;
  readonly run: Run;
}

type LabelPart = Part & { readonly label: number };

/**
 * Most rounds that a run can take: three that try new balls (`firstTries`), and the further attempts at those of the last
 * one. Five by default: some sixty events of the 25,000 that an execution's history may hold (docs/schedule.md).
 */
export function mostRounds(maxAttempts: number): number {
  return 3 + maxAttempts - 1;
}

/**
 * Plans the next round: which open balls are verified together, and how long that may take. The same state, trees and
 * options give the same plan. `trees` holds, by label, the cluster tree of the inputs with that label (those that are
 * misclassified may be missing); RangeError when an open ball is in none.
 *
 * New balls are tried up to the round's quota. What earlier rounds left is planned completely: a suspect alone, what
 * remained of failing mini-batches jointly, whatever their labels (sizes learned apart), what crashed at most at its halved size.
 */
export function planRound(state: RunState, trees: ReadonlyMap<number, ClusterTree>, options: PlanOptions): RoundPlan {
  const rng = random(options.seed, state.round);
  const parts = openParts(state, trees);
  const news = parts.filter((part) => part.kind === 'first');
  const later = acrossLabels(parts.filter((part) => part.kind !== 'first'));
  // Longer mini-batches would make a round wait longer for its last one, and a Standard child costs 25 Express ones.
  const seconds = options.secondsPerBall > shortSeconds ? longSeconds : shortSeconds;
  const left = later.reduce((sum, { run }) => sum + run.inputs.length, 0);
  // Each ball may use its seconds, and when few are left no worker is idle while another has several.
  const affordable = Math.max(
    1,
    Math.min(Math.floor(seconds / options.secondsPerBall), Math.ceil(left / options.workers)),
  );
  const again = later.flatMap((part) => laterDrafts(part, state, affordable, options, rng));
  const first = state.epsilons.flatMap((_, epsilon) => {
    const ofRadius = news.filter((part) => part.epsilon === epsilon);
    return firstDrafts(options.mode === 'single' ? ofRadius : smallJoined(ofRadius), epsilon, state, options, rng);
  });
  const batches = [...again, ...first]
    .sort((a, b) => b.inputs.length - a.inputs.length)
    .map(({ inputs, ...draft }, number) => ({
      ...draft,
      run: options.run,
      round: state.round,
      id: `${state.round}-${number}`,
      inputs: packIds(inputs),
      size: inputs.length,
      seconds: Math.min(clockPerCpu * options.secondsPerBall * inputs.length, seconds),
    }));
  return { batches, long: batches.some((batch) => batch.seconds > shortSeconds) };
}

/** The open balls, divided by how they are planned. */
function openParts(state: RunState, trees: ReadonlyMap<number, ClusterTree>): LabelPart[] {
  const parts: LabelPart[] = [];
  let found = 0;
  for (let epsilon = 0; epsilon < state.epsilons.length; epsilon++) {
    const offset = epsilon * state.inputs;
    /** 0 when settled; otherwise equal for balls that are planned alike. */
    const likeness = (input: number): number => {
      const ball = offset + input;
      if (state.status[ball] !== open) return 0;
      return 1 + state.queue[ball] + queues.length * (state.attempts[ball] + 256 * state.limit[ball]);
    };
    for (const label of [...trees.keys()].sort((a, b) => a - b)) {
      const tree = trees.get(label) as ClusterTree;
      const alike = [...new Set(tree.order.map(likeness))].filter((code) => code > 0).sort((a, b) => a - b);
      for (const code of alike) {
        const run = runOf(tree, (input) => likeness(input) === code);
        const ball = offset + run.inputs[0];
        const kind = queues[state.queue[ball]];
        parts.push({ epsilon, label, kind, attempt: state.attempts[ball] + 1, limit: state.limit[ball], run });
        found += run.inputs.length;
      }
    }
  }
  const left = state.status.reduce((count, status) => count + (status === open ? 1 : 0), 0);
  if (found !== left) throw new RangeError(`${left} balls are open, and the cluster trees hold ${found} open balls`);
  return parts;
}

/**
 * What remained of failing mini-batches of all labels as one part: few are left of each label, and what they share, calls of attacks, does not
 * depend on the label.
 */
function acrossLabels(parts: readonly LabelPart[]): Part[] {
  const groups = new Map<string, LabelPart[]>();
  for (const part of parts) {
    const { epsilon, kind, attempt, limit, label } = part;
    const key = JSON.stringify([epsilon, kind, attempt, limit, ...(kind === 'rest' ? [] : [label])]);
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()].map((own) => (own.length === 1 ? own[0] : { ...own[0], ...joined(own) }));
}

/**
 * Labels with fewer new balls than the largest mini-batch has as one part: else no arm above their number could be drawn, and the smallest are drawn for what
 * is left of each. What grows with the size, common calls, does not depend on the label. Where labels are large, similarity decides, and their own sizes are learned.
 */
function smallJoined(news: readonly LabelPart[]): Part[] {
  const isSmall = ({ run }: Part): boolean => run.inputs.length < armSizes[armSizes.length - 1];
  const small = news.filter(isSmall);
  if (small.length < 2) return [...news];
  return [...news.filter((part) => !isSmall(part)), { ...small[0], ...joined(small) }];
}

/** The runs one after the other, with a cut above all others between them. */
function joined(parts: readonly LabelPart[]): Pick<Part, 'label' | 'run'> {
  const length = parts.reduce((sum, { run }) => sum + run.inputs.length, 0);
  const run = { inputs: new Uint32Array(length), depths: new Uint8Array(length) };
  const labels = new Map<number, number>();
  let at = 0;
  for (const { label, run: own } of parts) {
    run.inputs.set(own.inputs, at);
    run.depths.set(own.depths, at);
    run.depths[at] = 0;
    at += own.inputs.length;
    for (const input of own.inputs) labels.set(input, label);
  }
  return { label: labels, run };
}

/**
 * Mini-batches of balls that were tried before, of at most `affordable` balls: most of them will need all their seconds.
 */
function laterDrafts(part: Part, state: RunState, affordable: number, options: PlanOptions, rng: Random): Draft[] {
  const isDrawn = part.kind === 'rest' && options.mode === 'batch';
  const draw = sizeSampler(beliefs(state.bandit, banditKey(state.epsilons[part.epsilon], part.attempt)), rng);
  const nextSize = (left: number): number => {
    if (isDrawn) return draw(Math.min(left, affordable));
    return part.kind === 'retry' ? Math.min(part.limit, affordable) : 1;
  };
  return cutMiniBatches(part.run, nextSize).map(({ inputs, size }) => draft(part, inputs, isDrawn ? size : 0));
}

/** Mini-batches of a radius' balls that were never tried, up to the round's quota. */
function firstDrafts(
  news: readonly Part[],
  epsilon: number,
  state: RunState,
  options: PlanOptions,
  rng: Random,
): Draft[] {
  if (options.mode === 'single') {
    return news.flatMap((part) => cutMiniBatches(part.run, () => 1).map(({ inputs }) => draft(part, inputs, 0)));
  }
  const key = banditKey(state.epsilons[epsilon], 1);
  const quota = firstTries({
    total: balls(state, epsilon),
    left: news.reduce((sum, { run }) => sum + run.inputs.length, 0),
    workers: options.workers,
    informed: isInformed(state.bandit, key),
  });
  const believed = labelBeliefs(state.bandit, key);
  const samplers = new Map(
    news.map(({ label }) => [
      label,
      sizeSampler(typeof label === 'number' ? believed(label) : beliefs(state.bandit, key), rng),
    ]),
  );
  return choosePieces(news, quota, rng).flatMap(({ balls: part, start, end }) =>
    cutMiniBatches(part.run, samplers.get(part.label)!, start, end).map(({ inputs, size }) =>
      draft(part, inputs, size),
    ),
  );
}

function draft({ kind, epsilon, label, attempt }: Part, inputs: Uint32Array, arm: number): Draft {
  const own = typeof label === 'number' ? [label] : Array.from(inputs, (input) => label.get(input)!);
  return { kind, epsilon, label: new Set(own).size === 1 ? own[0] : own, attempt, inputs, arm };
}

/** Balls of a radius that need verification at all. */
function balls(state: RunState, epsilon: number): number {
  const misclassified = statuses.indexOf('misclassified');
  const status = state.status.subarray(epsilon * state.inputs, (epsilon + 1) * state.inputs);
  return status.reduce((count, value) => count + (value === misclassified ? 0 : 1), 0);
}
