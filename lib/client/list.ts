import { runOf } from './attempts';
import type { Execution, ExecutionStatus, RemoteExecutions } from './executions';

/** A run, as its last attempt is. */
export interface ListedRun extends Omit<Execution, 'name'> {
  readonly run: string;
}

/** The runs of a deployment, those whose last attempt started last first; at most so many, all or those in one state. */
export async function listRuns(
  executions: Pick<RemoteExecutions, 'all'>,
  limit: number,
  status?: ExecutionStatus,
): Promise<ListedRun[]> {
  const seen = new Set<string>();
  const found: ListedRun[] = [];
  for await (const { name, ...execution } of executions.all()) {
    const run = runOf(name);
    if (seen.has(run)) continue;
    seen.add(run);
    if (status === undefined || execution.status === status) found.push({ run, ...execution });
    if (found.length === limit) break;
  }
  return found;
}
