import { addRound, type ChargedBatch } from '../cost/usage';
import type { UnknownReason } from '../verdict';
import { type Attempted, learnFrom } from './learn';
import { unpackIds } from './packed';
import { shortSeconds } from './plan-round';
import type { BallResult, BatchFailure, BatchResult, MiniBatch } from './records';
import { ballAt, codeOfReason, copyState, open, type Queue, queues, type RunState, settle } from './state';

/** What became of one mini-batch; the numbers of the report's table of mini-batches. */
export interface BatchOutcome {
  readonly id: string;
  readonly robust: number;
  readonly notRobust: number;
  readonly open: number;
  /** Of a mini-batch without usable result all the seconds that it had: what it used is not known. */
  readonly cpuSeconds: number;
  /** What is charged for; of a mini-batch without usable result as its `cpuSeconds`. */
  readonly wallSeconds: number;
  /** Of a mini-batch that gave no usable result. */
  readonly error?: string;
}

export interface MergedRound {
  readonly state: RunState;
  /** One per mini-batch, in the order of the plan. */
  readonly outcomes: BatchOutcome[];
  /** Results of mini-batches that are not in the plan; nothing was taken from them. */
  readonly ignored: string[];
}

/**
 * Merges a round: writes down verdicts, decides how each ball that stayed open is tried again (or that it is `unknown`
 * after its last attempt), and teaches the bandit. It does not matter which mini-batch's result comes first. A mini-batch
 * without result has crashed, whether or not a failure says so; a result that does not fit its mini-batch counts as a
 * crash; a result beside a failure counts as the result; of several results of one mini-batch all verdicts are taken and
 * the first counts for the rest. Merging a round again settles nothing anew. Throws ContradictionError, with `state`
 * untouched.
 */
export function mergeRound(
  state: RunState,
  batches: readonly MiniBatch[],
  results: Iterable<BatchResult>,
  failures: Iterable<BatchFailure>,
): MergedRound {
  const next = copyState(state);
  const failed = new Map([...failures].map((failure) => [failure.id, failure]));
  const byId = new Map(batches.map((batch) => [batch.id, [] as BatchResult[]]));
  const ignored: string[] = [];
  for (const result of results) {
    const found = byId.get(result.id);
    if (found === undefined) ignored.push(result.id);
    else found.push(result);
  }
  const attempted: Attempted[] = [];
  const charged: ChargedBatch[] = [];
  const outcomes = batches.map((batch) => {
    const members = unpackIds(batch.inputs);
    const balls = [...members].map((input) => ballAt(next, input, batch.epsilon));
    const isNew = balls.some((ball) => next.attempts[ball] < batch.attempt);
    const { fitting, refused } = checked(batch, members, byId.get(batch.id) ?? []);
    const outcome =
      fitting.length > 0
        ? mergeResults(next, batch, fitting)
        : mergeCrash(next, batch, balls, failed.get(batch.id), refused);
    if (isNew) {
      next.cpuSeconds += outcome.cpuSeconds;
      if (!fitting[0]?.balls.some(isCut)) attempted.push({ batch, outcome });
      charged.push({ size: batch.size, wallSeconds: outcome.wallSeconds, witnesses: outcome.notRobust });
    }
    return outcome;
  });
  next.bandit = learnFrom(next.bandit, next.epsilons, attempted);
  const isLong = batches.some((batch) => batch.seconds > shortSeconds);
  if (charged.length > 0) next.usage = addRound(next.usage, charged, isLong);
  next.round += 1;
  return { state: next, outcomes, ignored };
}

/** Whether the run's cap of time ended the search of a ball. */
function isCut(found: BallResult): boolean {
  return found.verdict === 'open' && found.reason === 'budget';
}

/** Takes the verdicts of every result of a mini-batch, and plans the balls that stay open by the first of them. */
function mergeResults(state: RunState, batch: MiniBatch, results: readonly BatchResult[]): BatchOutcome {
  const [first] = results;
  for (const result of results) {
    for (const found of result.balls) writeVerdict(state, batch, found);
  }
  const left = first.balls.filter((found) => state.status[ballAt(state, found.input, batch.epsilon)] === open);
  const suspect = suspectOf(first, left);
  let robust = 0;
  let notRobust = 0;
  for (const found of first.balls) {
    const ball = ballAt(state, found.input, batch.epsilon);
    if (found.verdict === 'robust') robust++;
    if (found.verdict === 'not-robust') notRobust++;
    if (state.attempts[ball] >= batch.attempt) continue;
    state.cpu[ball] += found.cpuSeconds;
    // Its time was the run's, not its own: this was no attempt, and a run with a larger cap makes it again.
    if (isCut(found)) continue;
    const isAlone = batch.size === 1 || found.input === suspect;
    const reason = found.verdict === 'open' ? found.reason : 'search not run';
    afterAttempt(state, batch, ball, reason, isAlone ? 'suspect' : 'rest', 0);
  }
  return { id: batch.id, robust, notRobust, open: left.length, ...timesOf(first) };
}

/** A mini-batch without a usable result: its members are tried again in smaller ones, the last time alone. */
function mergeCrash(
  state: RunState,
  batch: MiniBatch,
  balls: readonly number[],
  failure: BatchFailure | undefined,
  refused: readonly string[],
): BatchOutcome {
  const reason = failure === undefined ? 'crash' : reasonOf(failure);
  const isLastNext = batch.attempt + 1 >= state.maxAttempts;
  const limit = isLastNext ? 1 : Math.max(1, Math.floor(batch.size / 2));
  for (const ball of balls) {
    if (state.attempts[ball] < batch.attempt) afterAttempt(state, batch, ball, reason, 'retry', limit);
  }
  const told = failure === undefined ? 'no result' : `${failure.error}: ${failure.cause}`;
  const error = [told, ...refused].join('; ');
  // What it cost is not known: at most the time it ran, or was given.
  const cpuSeconds = Math.min(failure?.seconds ?? batch.seconds, batch.seconds);
  return { id: batch.id, robust: 0, notRobust: 0, open: balls.length, cpuSeconds, wallSeconds: cpuSeconds, error };
}

function timesOf({ cpuSeconds, wallSeconds }: BatchResult): Pick<BatchOutcome, 'cpuSeconds' | 'wallSeconds'> {
  return { cpuSeconds, wallSeconds };
}

function writeVerdict(state: RunState, batch: MiniBatch, found: BallResult): void {
  const ball = ballAt(state, found.input, batch.epsilon);
  if (found.verdict === 'open') {
    const isBetter = Number.isNaN(state.margin[ball]) || (found.margin ?? Number.NaN) > state.margin[ball];
    if (state.status[ball] === open && found.margin !== undefined && isBetter) state.margin[ball] = found.margin;
    return;
  }
  const { input: _, cpuSeconds: __, ...verdict } = found;
  settle(state, ball, { ...verdict, batch: batchNumber(batch) });
}

/** Counts the attempt; an open ball waits in the queue for the next one, or is `unknown` when this was its last. */
function afterAttempt(
  state: RunState,
  batch: MiniBatch,
  ball: number,
  reason: UnknownReason,
  queue: Queue,
  limit: number,
): void {
  state.attempts[ball] = batch.attempt;
  if (state.status[ball] !== open) return;
  state.queue[ball] = queues.indexOf(queue);
  state.limit[ball] = limit;
  state.reason[ball] = codeOfReason(reason);
  if (batch.attempt >= state.maxAttempts)
    settle(state, ball, { verdict: 'unknown', reason, batch: batchNumber(batch) });
}

/** The member that is verified alone next: the one that the mini-batch names, or that with the worst bound. */
function suspectOf(result: BatchResult, left: readonly BallResult[]): number | undefined {
  const named = left.find((found) => found.input === result.suspect);
  if (named !== undefined || left.length === 0) return named?.input;
  const marginOf = (found: BallResult): number => (found.verdict === 'open' ? (found.margin ?? -Infinity) : 0);
  return left.reduce((worst, found) => (marginOf(found) < marginOf(worst) ? found : worst)).input;
}

/** Divides the results of a mini-batch into those that fit it and what is wrong with the others. */
function checked(
  batch: MiniBatch,
  members: Uint32Array,
  results: readonly BatchResult[],
): { fitting: BatchResult[]; refused: string[] } {
  const fitting: BatchResult[] = [];
  const refused: string[] = [];
  for (const result of results) {
    const problem = problemOf(batch, members, result);
    if (problem === undefined) fitting.push(result);
    else refused.push(`result refused: ${problem}`);
  }
  return { fitting, refused };
}

function problemOf(batch: MiniBatch, members: Uint32Array, result: BatchResult): string | undefined {
  if (result.round !== batch.round) return `it is of round ${result.round}, not ${batch.round}`;
  // Two coordinators of one round may have planned the next one differently, each with a mini-batch of this id.
  const epsilon = result.epsilon ?? batch.epsilon;
  if (epsilon !== batch.epsilon) return `it is at radius ${epsilon}, not ${batch.epsilon}`;
  const inputs = result.balls.map((found) => found.input).sort((a, b) => a - b);
  if (inputs.length !== members.length || inputs.some((input, i) => input !== members[i])) {
    return `it holds ${inputs.length} balls that are not the ${members.length} members, each once`;
  }
  const doubtful = result.balls.find((found) => found.verdict === 'robust' && !(found.margin > 0));
  if (doubtful !== undefined) return `input ${doubtful.input} is called robust without a positive margin`;
  const costs = [result.cpuSeconds, result.wallSeconds, ...result.balls.map((found) => found.cpuSeconds)];
  return costs.every((seconds) => seconds >= 0) ? undefined : 'it holds a negative time';
}

/** What Lambda, Step Functions and the local runner say when they kill for time or memory; else a crash. */
function reasonOf(failure: BatchFailure): UnknownReason {
  const text = `${failure.error} ${failure.cause}`;
  if (/timeout|timed out/i.test(text)) return 'time';
  return /out ?of ?memory|heap|bad_alloc/i.test(text) ? 'memory' : 'crash';
}

function batchNumber(batch: MiniBatch): { round: number; number: number } {
  return { round: batch.round, number: Number(batch.id.slice(batch.id.indexOf('-') + 1)) };
}
