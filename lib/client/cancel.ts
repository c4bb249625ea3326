import { resultsPrefix } from '../pipeline/keys';
import { findAttempt, isUnderWay } from './attempts';
import type { Deployment } from './connect';
import type { ExecutionStatus } from './executions';
import { followRun, type RunProgress } from './follow';

export type Cancelled =
  /** What the run had settled by then; `results`: mini-batches of the interrupted round that are not verified again. */
  | { readonly kind: 'cancelled'; readonly progress: RunProgress; readonly results: number }
  /** It had ended before; nothing was done. */
  | { readonly kind: 'ended'; readonly status: ExecutionStatus };

/** Stops a run. Everything that it has written stays. @throws BadInputError when there is no such run */
export async function cancelRun({ storage, executions }: Deployment, run: string): Promise<Cancelled> {
  const { execution } = await findAttempt(executions, run);
  if (!isUnderWay(execution)) return { kind: 'ended', status: execution.status };
  await executions.stop(execution.name, 'cancelled by `npx baverly cancel`');
  const progress = await followRun(storage, run).poll();
  const results = await storage.list(resultsPrefix(run, progress.rounds));
  return { kind: 'cancelled', progress, results: results.length };
}
