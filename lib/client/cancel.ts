import { resultsPrefix } from '../pipeline/keys';
import type { Deployment } from './connect';
import type { ExecutionStatus } from './executions';
import { followRun, type RunProgress } from './follow';
import { findExecution } from './watch';

export type Cancelled =
  /** What the run had settled by then; `results`: mini-batches of the interrupted round that are not verified again. */
  | { readonly kind: 'cancelled'; readonly progress: RunProgress; readonly results: number }
  /** It had ended before; nothing was done. */
  | { readonly kind: 'ended'; readonly status: ExecutionStatus };

/** Stops a run. Everything that it has written stays. @throws BadInputError when there is no such run */
export async function cancelRun({ storage, executions }: Deployment, run: string): Promise<Cancelled> {
  const { status } = await findExecution(executions, run);
  if (status !== 'RUNNING' && status !== 'PENDING_REDRIVE') return { kind: 'ended', status };
  await executions.stop(run, 'cancelled by `npx baverly cancel`');
  const progress = await followRun(storage, run).poll();
  const results = await storage.list(resultsPrefix(run, progress.rounds));
  return { kind: 'cancelled', progress, results: results.length };
}
