import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { BadInputError } from '../errors';
import { requestKey, runPrefix } from '../pipeline/keys';
import { readRequest } from '../pipeline/records';
import { reportKeys } from '../report/json';
import type { RunRequest } from '../schedule/records';
import type { Deployment } from './connect';
import type { ExecutionStatus } from './executions';

/** What became of a request to run something. */
export type Submitted = { readonly run: string } & (
  | { readonly kind: 'started' }
  /** The same run is under way already. */
  | { readonly kind: 'running' }
  /** It had been cancelled or had timed out, and goes on. */
  | { readonly kind: 'resumed' }
  /** It has ended; nothing was started. */
  | { readonly kind: 'ended'; readonly status: ExecutionStatus }
);

/**
 * The id of a run that nobody named: what a person recognises it by, and a digest of all that is asked. The same request is the
 * same run.
 */
export function runIdOf(title: string, request: RunRequest): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(canonical(request)))
    .digest('hex')
    .slice(0, 16);
  const readable = title.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60);
  return `${readable}-${digest}`;
}

/** With its fields in one order. */
function canonical(request: RunRequest): unknown {
  return Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Starts the run of a request whose model and data set are in storage, once: a run that is under way is found, one that was
 * cancelled goes on, and one that has ended is left alone.
 *
 * @throws BadInputError when another request has this id
 */
export async function submitRun(
  { bucket, storage, executions }: Deployment,
  run: string,
  request: RunRequest,
): Promise<Submitted> {
  const isNew = await storage.putIfAbsent(requestKey(run), `${JSON.stringify(request, null, 2)}\n`);
  if (!isNew && !isDeepStrictEqual(canonical(await readRequest(storage, run)), canonical(request))) {
    throw new BadInputError(`run ${run}`, ['there is a run of this id that asks something else: give another --id']);
  }
  const earlier = await executions.find(run);
  if (earlier === undefined) {
    // Step Functions forgets an execution 90 days after its end; its report stays.
    if (!isNew && (await hasReport(storage, run))) return { kind: 'ended', run, status: 'SUCCEEDED' };
    const started = await executions.start(run, { kind: 'run', bucket, run });
    return { kind: started === 'started' ? 'started' : 'running', run };
  }
  switch (earlier.status) {
    case 'RUNNING':
    case 'PENDING_REDRIVE':
      return { kind: 'running', run };
    case 'ABORTED':
    case 'TIMED_OUT':
      await executions.redrive(run);
      return { kind: 'resumed', run };
    default:
      return { kind: 'ended', run, status: earlier.status };
  }
}

async function hasReport({ list }: Deployment['storage'], run: string): Promise<boolean> {
  const { json } = reportKeys(runPrefix(run));
  return (await list(json)).some(({ key }) => key === json);
}
