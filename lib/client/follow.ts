import { type Cost, costOf } from '../cost/cost';
import { addRound } from '../cost/usage';
import { planKey, resultsPrefix, runPrefix, stateKey } from '../pipeline/keys';
import { readJson, readLines, readRecord } from '../pipeline/records';
import { shortSeconds } from '../schedule/plan-round';
import {
  type BatchResult,
  batchResultSchema,
  type MiniBatch,
  miniBatchSchema,
  type RunRecord,
} from '../schedule/records';
import type { RunState } from '../schedule/state';
import { decodeState } from '../schedule/state-file';
import { type Progress, summarise } from '../schedule/summary';
import { MissingKeyError, type Storage } from '../storage/storage';

/** How far a run is, from its records in storage. */
export interface RunProgress {
  readonly run: string;
  /** `planning`: nothing is known yet. */
  readonly phase: 'planning' | 'verifying';
  /** Rounds merged. */
  readonly rounds: number;
  /** Mini-batches of the round under way, and how many of them have a result. */
  readonly batches: { readonly planned: number; readonly done: number };
  readonly balls: number;
  readonly settled: number;
  readonly robust: number;
  readonly notRobust: number;
  readonly unknown: number;
  readonly misclassified: number;
  readonly cpuSeconds: number;
  /** Balls proven robust or not robust per CPU-second so far. */
  readonly velocity: number;
  /** Seconds until every ball is settled, if it goes on as so far; undefined before the first is. */
  readonly secondsLeft: number | undefined;
  readonly cost: Pick<Cost, 'usd' | 'region' | 'date'>;
}

/** Follows one run: reads what is new since the last time. */
export interface Follower {
  poll(): Promise<RunProgress>;
}

/** Results read at one poll, at most; a large round is caught up with over several. */
const mostResults = 512;
const parallel = 16;

interface Known {
  readonly record: RunRecord;
  readonly state: RunState;
  readonly progress: Progress;
  /** Empty while the round's plan is not there. */
  planned: readonly MiniBatch[];
  readonly results: Map<string, BatchResult>;
}

export function followRun(storage: Storage, run: string, now: () => number = Date.now): Follower {
  let known: Known | undefined;
  return {
    async poll() {
      const round = await lastRound(storage, run);
      if (round !== undefined && known?.state.round !== round) known = await readRound(storage, run, round);
      if (known === undefined) return nothingYet(run);
      // The state of a round comes before its plan; after the last round there is none.
      if (known.planned.length === 0) known.planned = await planOf(storage, run, known.state.round);
      await readResults(storage, run, known);
      return progressOf(run, known, now());
    },
  };
}

/** Number of the round under way: that many are merged. Undefined before the plan. */
async function lastRound(storage: Storage, run: string): Promise<number | undefined> {
  const states = await storage.list(`${runPrefix(run)}/state/`);
  const numbers = states.flatMap(({ key }) => /\/(\d+)\.bin$/.exec(key)?.[1] ?? []).map(Number);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

async function readRound(storage: Storage, run: string, round: number): Promise<Known> {
  const state = decodeState(await storage.get(stateKey(run, round)));
  const record = await readRecord(storage, run);
  return { record, state, progress: summarise(state), planned: [], results: new Map() };
}

async function planOf(storage: Storage, run: string, round: number): Promise<MiniBatch[]> {
  try {
    return await readLines(storage, planKey(run, round), miniBatchSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return [];
    throw error;
  }
}

async function readResults(storage: Storage, run: string, { state, planned, results }: Known): Promise<void> {
  if (results.size >= planned.length) return;
  const prefix = resultsPrefix(run, state.round);
  const keys = (await storage.list(prefix)).map(({ key }) => key).filter((key) => !results.has(key));
  for (let start = 0; start < Math.min(keys.length, mostResults); start += parallel) {
    const part = keys.slice(start, Math.min(start + parallel, mostResults));
    await Promise.all(
      part.map(async (key) => {
        results.set(key, await readJson(storage, key, batchResultSchema));
      }),
    );
  }
}

function progressOf(run: string, { record, state, progress, planned, results }: Known, now: number): RunProgress {
  const found = [...results.values()];
  const balls = found.flatMap((result) => result.balls);
  const count = (verdict: string): number => balls.filter((ball) => ball.verdict === verdict).length;
  const before = (status: 'robust' | 'not-robust' | 'unknown' | 'misclassified'): number =>
    progress.radii.reduce((sum, radius) => sum + radius[status], 0);
  const robust = before('robust') + count('robust');
  const notRobust = before('not-robust') + count('not-robust');
  const [unknown, misclassified] = [before('unknown'), before('misclassified')];
  const cpuSeconds = progress.cpuSeconds + found.reduce((sum, result) => sum + result.cpuSeconds, 0);
  const settled = robust + notRobust + unknown + misclassified;
  const elapsed = Math.max(0, now - Date.parse(record.startedAt)) / 1000;
  const worked = settled - misclassified;
  return {
    run,
    phase: 'verifying',
    rounds: progress.rounds,
    batches: { planned: planned.length, done: results.size },
    balls: progress.balls,
    ...{ settled, robust, notRobust, unknown, misclassified, cpuSeconds },
    velocity: cpuSeconds > 0 ? (robust + notRobust) / cpuSeconds : 0,
    secondsLeft: worked > 0 ? (elapsed / worked) * (progress.balls - settled) : undefined,
    cost: costSoFar(record, state, planned, found),
  };
}

/** What the merged rounds and the results so far cost on AWS (docs/cost.md), what is under way left out. */
function costSoFar(
  { inputs, request }: RunRecord,
  state: RunState,
  planned: readonly MiniBatch[],
  results: readonly BatchResult[],
): Cost {
  const charged = results.map(({ balls, wallSeconds }) => {
    const witnesses = balls.filter(({ verdict }) => verdict === 'not-robust').length;
    return { size: balls.length, wallSeconds, witnesses };
  });
  const isLong = planned.some(({ seconds }) => seconds > shortSeconds);
  const usage = charged.length === 0 ? state.usage : addRound(state.usage, charged, isLong);
  const balls = inputs * request.epsilons.length;
  return costOf(usage, { inputs, balls, workers: request.workers, kind: 'aws', architecture: 'arm64' });
}

function nothingYet(run: string): RunProgress {
  const counts = { balls: 0, settled: 0, robust: 0, notRobust: 0, unknown: 0, misclassified: 0 };
  const cost = { usd: 0, region: '', date: '' };
  const batches = { planned: 0, done: 0 };
  return {
    run,
    phase: 'planning',
    rounds: 0,
    batches,
    ...counts,
    cpuSeconds: 0,
    velocity: 0,
    secondsLeft: undefined,
    cost,
  };
}
