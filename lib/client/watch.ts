import { setTimeout as delay } from 'node:timers/promises';
import { BadInputError } from '../errors';
import { failureKey, runPrefix } from '../pipeline/keys';
import { readJson } from '../pipeline/records';
import { failureRecordSchema } from '../pipeline/report';
import { readReport } from '../report/json';
import type { Report } from '../report/record';
import { MissingKeyError, type Storage } from '../storage/storage';
import { problemsOfCause } from '../workflow/cause';
import { findAttempt, isUnderWay } from './attempts';
import type { Deployment } from './connect';
import type { Execution } from './executions';
import { followRun, type RunProgress } from './follow';
import { isUnreachable } from './problems';

/** How a run ended that was watched. */
export type Watched =
  | { readonly kind: 'done'; readonly report: Report }
  /** It failed, timed out or was cancelled. */
  | {
      readonly kind: 'failed';
      readonly execution: Execution;
      readonly error: string;
      readonly problems: readonly string[];
    }
  /** Only one look was asked for, or the signal ended the watching: it goes on. */
  | { readonly kind: 'running'; readonly progress: RunProgress };

export interface WatchOptions {
  readonly run: string;
  /** Seconds between two looks; 0: only one. */
  readonly interval: number;
  /** Aborted: stops watching; the run goes on. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Follows a run until it ends. @throws BadInputError when there is no such run */
export async function watchRun({ storage, executions }: Deployment, options: WatchOptions): Promise<Watched> {
  const { run, interval, signal, onProgress } = options;
  const follower = followRun(storage, run);
  let progress: RunProgress | undefined;
  let seen = 0;
  let attempt = 1;
  for (;;) {
    try {
      // Asked first: what is read after the end is all that there will be.
      const { number, execution } = await findAttempt(executions, run, attempt);
      attempt = number;
      if (!isUnderWay(execution)) return await endOf(storage, run, execution);
      progress = await follower.poll();
      onProgress(progress);
      seen = Date.now();
    } catch (error) {
      // A network that breaks off or a server that is started anew, once watched, is waited for.
      if (progress === undefined || Date.now() - seen > 1000 * patience || !isUnreachable(error)) throw error;
    }
    if (interval > 0 && !signal.aborted) await delay(1000 * interval, undefined, { signal }).catch(() => {});
    if (interval === 0 || signal.aborted) return { kind: 'running', progress };
  }
}

/** Seconds without an answer before a watched deployment is given up. */
const patience = 60;

async function endOf(storage: Storage, run: string, execution: Execution): Promise<Watched> {
  if (execution.status === 'SUCCEEDED') return { kind: 'done', report: await readReport(storage, runPrefix(run)) };
  return { kind: 'failed', execution, ...(await whyFailed(storage, run, execution)) };
}

/** What the run recorded of its failure, else what the execution says. */
async function whyFailed(
  storage: Storage,
  run: string,
  { status, error = status, cause = '' }: Execution,
): Promise<{ readonly error: string; readonly problems: readonly string[] }> {
  if (status === 'ABORTED') return { error: 'Cancelled', problems: cause === '' ? [] : [cause] };
  if (status === 'TIMED_OUT') return { error: 'TimedOut', problems: ['the execution took too long'] };
  try {
    return await readJson(storage, failureKey(run), failureRecordSchema);
  } catch (thrown) {
    if (!(thrown instanceof MissingKeyError || thrown instanceof BadInputError)) throw thrown;
    return { error, problems: problemsOfCause({ error, cause }) };
  }
}
