import { noUsage, type Usage } from '../cost/usage';
import type { UnknownReason } from '../verdict';
import type { Posterior } from './bandit';

/** What is known of a ball. The order is that of the numbers in `RunState.status`. */
export const statuses = ['open', 'robust', 'not-robust', 'misclassified', 'unknown'] as const;
export type Status = (typeof statuses)[number];
export const open = 0;

/** How an open ball is planned next (the numbers of `RunState.queue`). */
export const queues = ['first', 'rest', 'suspect', 'retry'] as const;
export type Queue = (typeof queues)[number];

/** The order is that of the numbers in `RunState.reason`; 0 is no reason. */
const reasons: readonly UnknownReason[] = ['search not run', 'time', 'memory', 'budget', 'numerics', 'crash'];

/** No class was predicted, or no mini-batch was involved. */
const none = -1;

/**
 * Everything a run knows of its balls, as plain columns with one entry per ball; the ball of `input` at radius `epsilon`
 * is entry epsilon * inputs + input (`ballAt`). 35 bytes a ball. Changed only by this folder: `mergeRound` and
 * `closeOpen` copy first.
 */
export interface RunState {
  readonly inputs: number;
  /** The radii, in pixel units: request.epsilons. */
  readonly epsilons: readonly number[];
  /** Attempts a ball gets, crashes included, before it is `unknown`. */
  readonly maxAttempts: number;
  /** Rounds merged so far, which is also the number of the next round. */
  round: number;
  readonly status: Uint8Array;
  /** Attempts made. */
  readonly attempts: Uint8Array;
  readonly queue: Uint8Array;
  /** Most members of the next mini-batch of a ball whose last one crashed; 0: no limit. */
  readonly limit: Uint16Array;
  /** Why the last attempt left it open. */
  readonly reason: Uint8Array;
  /** Proven lower bound of the smallest margin; NaN: none. */
  readonly margin: Float64Array;
  /** CPU-seconds over all attempts. */
  readonly cpu: Float64Array;
  /** The class that the model gives, of not-robust and misclassified; else -1. */
  readonly predicted: Int32Array;
  /** Index into `settlers`. */
  readonly settledBy: Uint8Array;
  /** Round and number of the mini-batch that settled it; -1: none. */
  readonly batchRound: Int32Array;
  readonly batchNumber: Int32Array;
  readonly settlers: string[];
  /** Storage key of the witness of every not-robust ball, by ball. */
  readonly witnesses: Map<number, string>;
  /** What was learned about sizes. */
  bandit: Posterior;
  /** CPU-seconds of all mini-batches, with what is not any single ball's. */
  cpuSeconds: number;
  /** What all mini-batches used, in the units that are charged. */
  usage: Usage;
}

/** The typed-array columns, in the order of the snapshot. */
export const columns = [
  ['margin', Float64Array],
  ['cpu', Float64Array],
  ['predicted', Int32Array],
  ['batchRound', Int32Array],
  ['batchNumber', Int32Array],
  ['limit', Uint16Array],
  ['status', Uint8Array],
  ['attempts', Uint8Array],
  ['queue', Uint8Array],
  ['reason', Uint8Array],
  ['settledBy', Uint8Array],
] as const;

export interface NewRun {
  readonly inputs: number;
  readonly epsilons: readonly number[];
  /** [inputs] 1 where the model gets the unperturbed input wrong: settled at once, at every radius. */
  readonly misclassified: Uint8Array;
  /** [inputs] The class that the model gives to each input; read where misclassified. */
  readonly predicted: ArrayLike<number>;
  /** What an earlier run of the same model learned about sizes. */
  readonly bandit: Posterior;
  /** At most 200; 3 unless told. */
  readonly maxAttempts?: number;
}

/** The state before the first round. Throws a RangeError where the arguments do not fit each other. */
export function createState(run: NewRun): RunState {
  const { inputs, epsilons, misclassified, predicted, maxAttempts = 3 } = run;
  if (!(Number.isInteger(inputs) && inputs > 0 && epsilons.length > 0)) {
    throw new RangeError(`a run needs inputs and radii, not ${inputs} and ${epsilons.length}`);
  }
  if (misclassified.length !== inputs || predicted.length !== inputs) {
    throw new RangeError(`${misclassified.length} flags and ${predicted.length} predictions for ${inputs} inputs`);
  }
  if (!(Number.isInteger(maxAttempts) && maxAttempts >= 1 && maxAttempts <= 200)) {
    throw new RangeError(`maxAttempts must be an integer of 1 to 200, not ${maxAttempts}`);
  }
  const balls = inputs * epsilons.length;
  const state: RunState = {
    inputs,
    epsilons: [...epsilons],
    maxAttempts,
    round: 0,
    margin: new Float64Array(balls).fill(Number.NaN),
    cpu: new Float64Array(balls),
    predicted: new Int32Array(balls).fill(none),
    batchRound: new Int32Array(balls).fill(none),
    batchNumber: new Int32Array(balls).fill(none),
    limit: new Uint16Array(balls),
    status: new Uint8Array(balls),
    attempts: new Uint8Array(balls),
    queue: new Uint8Array(balls),
    reason: new Uint8Array(balls),
    settledBy: new Uint8Array(balls),
    settlers: ['prediction'],
    witnesses: new Map(),
    bandit: run.bandit,
    cpuSeconds: 0,
    usage: noUsage,
  };
  for (let input = 0; input < inputs; input++) {
    if (misclassified[input] === 0) continue;
    for (let epsilon = 0; epsilon < epsilons.length; epsilon++) {
      settle(state, ballAt(state, input, epsilon), { verdict: 'misclassified', predicted: predicted[input] });
    }
  }
  return state;
}

/** A copy that shares nothing that is ever changed. */
export function copyState(state: RunState): RunState {
  const copies = Object.fromEntries(columns.map(([name]) => [name, state[name].slice()]));
  return { ...state, ...copies, settlers: [...state.settlers], witnesses: new Map(state.witnesses) };
}

/** The entry of a ball. */
export function ballAt(state: RunState, input: number, epsilon: number): number {
  if (!(input >= 0 && input < state.inputs && epsilon >= 0 && epsilon < state.epsilons.length)) {
    const limits = `${state.inputs} inputs, ${state.epsilons.length} radii`;
    throw new RangeError(`no ball of input ${input} at radius ${epsilon}: ${limits}`);
  }
  return epsilon * state.inputs + input;
}

export function statusAt(state: RunState, ball: number): Status {
  return statuses[state.status[ball]];
}

/** Two verdicts on one ball that cannot both be true: something is unsound. The run must not go on. */
export class ContradictionError extends Error {
  override readonly name = 'ContradictionError';

  constructor(
    readonly input: number,
    /** Index of the radius. */
    readonly epsilon: number,
    readonly settled: Status,
    readonly claimed: Status,
    /** Ids of the mini-batches, or `prediction`. */
    readonly by: readonly [string, string],
  ) {
    super(
      `input ${input} at radius ${epsilon} was settled as ${settled} (${by[0]}) and is now called ${claimed} (${by[1]}); ` +
        'one of the two is wrong: keep both results and report the case',
    );
  }
}

/** A verdict about to be written down. */
export type Settlement = { readonly batch?: { readonly round: number; readonly number: number } } & (
  | { readonly verdict: 'robust'; readonly settledBy: string; readonly margin: number }
  | {
      readonly verdict: 'not-robust';
      readonly settledBy: string;
      readonly predicted: number;
      readonly witness: string;
    }
  | { readonly verdict: 'misclassified'; readonly predicted: number }
  | { readonly verdict: 'unknown'; readonly reason: UnknownReason }
);

/**
 * Writes a verdict into the state. The first one stays: the same again changes nothing, `unknown` never replaces a proven
 * verdict (a proven one replaces `unknown`), and any other second verdict throws ContradictionError. True when the ball
 * was open.
 */
export function settle(state: RunState, ball: number, found: Settlement): boolean {
  const was = statusAt(state, ball);
  if (was === found.verdict || (was !== 'open' && found.verdict === 'unknown')) return false;
  if (was !== 'open' && was !== 'unknown') {
    const [input, epsilon] = [ball % state.inputs, Math.floor(ball / state.inputs)];
    const claimedBy = found.batch ? `${found.batch.round}-${found.batch.number}` : 'prediction';
    throw new ContradictionError(input, epsilon, was, found.verdict, [batchAt(state, ball) ?? 'prediction', claimedBy]);
  }
  state.status[ball] = statuses.indexOf(found.verdict);
  state.batchRound[ball] = found.batch?.round ?? none;
  state.batchNumber[ball] = found.batch?.number ?? none;
  if (found.verdict === 'unknown') {
    state.reason[ball] = codeOfReason(found.reason);
    return true;
  }
  state.reason[ball] = 0;
  state.settledBy[ball] = settlerCode(state, found.verdict === 'misclassified' ? 'prediction' : found.settledBy);
  if (found.verdict === 'robust') {
    state.margin[ball] = found.margin;
  } else {
    state.margin[ball] = Number.NaN;
    state.predicted[ball] = found.predicted;
    if (found.verdict === 'not-robust') state.witnesses.set(ball, found.witness);
  }
  return was === 'open';
}

/** The state with every open ball `unknown`, e.g. because the budget is spent. */
export function closeOpen(state: RunState, reason: UnknownReason): RunState {
  const closed = copyState(state);
  for (let ball = 0; ball < closed.status.length; ball++) {
    if (closed.status[ball] === open) settle(closed, ball, { verdict: 'unknown', reason });
  }
  return closed;
}

/** What the state says of one ball, in the words of the report (lib/report/record.ts). */
export interface BallEntry {
  readonly status: Status;
  /** Of unknown, and of an open ball that was tried. */
  readonly reason?: UnknownReason;
  readonly settledBy?: string;
  readonly cpuSeconds: number;
  readonly margin?: number;
  readonly predicted?: number;
  readonly witness?: string;
  /** Id of the mini-batch that settled it. */
  readonly batch?: string;
}

export function entryAt(state: RunState, ball: number): BallEntry {
  const status = statusAt(state, ball);
  const reason = reasons[state.reason[ball] - 1];
  const witness = state.witnesses.get(ball);
  const batch = batchAt(state, ball);
  return {
    status,
    ...(reason !== undefined && { reason }),
    ...(status !== 'open' && status !== 'unknown' && { settledBy: state.settlers[state.settledBy[ball]] }),
    cpuSeconds: state.cpu[ball],
    ...(!Number.isNaN(state.margin[ball]) && { margin: state.margin[ball] }),
    ...(state.predicted[ball] !== none && { predicted: state.predicted[ball] }),
    ...(witness !== undefined && { witness }),
    ...(batch !== undefined && { batch }),
  };
}

export function codeOfReason(reason: UnknownReason): number {
  return reasons.indexOf(reason) + 1;
}

function batchAt(state: RunState, ball: number): string | undefined {
  return state.batchRound[ball] === none ? undefined : `${state.batchRound[ball]}-${state.batchNumber[ball]}`;
}

function settlerCode(state: RunState, name: string): number {
  const known = state.settlers.indexOf(name);
  if (known >= 0) return known;
  if (state.settlers.length > 255) throw new RangeError(`more than 256 ways to settle a ball; the last is ${name}`);
  return state.settlers.push(name) - 1;
}
