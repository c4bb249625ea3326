import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { BadInputError } from '../errors';
import { readCaps } from '../pipeline/caps';
import { requestKey, runPrefix } from '../pipeline/keys';
import { readRequest } from '../pipeline/records';
import { reportKeys } from '../report/json';
import { type Caps, capsOf } from '../schedule/caps';
import type { RunRequest } from '../schedule/records';
import { type Attempt, attemptName, isUnderWay, lastAttempt } from './attempts';
import type { Deployment } from './connect';
import type { ExecutionStatus } from './executions';

/** What became of a request to run something. */
export type Submitted = { readonly run: string } & (
  | { readonly kind: 'started' }
  /** The same run is under way already. */
  | { readonly kind: 'running' }
  /** It had stopped before its end, and goes on. */
  | { readonly kind: 'resumed' }
  /** It has ended; nothing was started. `capped`: at a cap, which was not raised. */
  | { readonly kind: 'ended'; readonly status: ExecutionStatus; readonly capped: boolean }
);

/**
 * The id of a run that nobody named: what a person recognises it by, and a digest of all that is asked but its caps. The same
 * request is the same run.
 */
export function runIdOf(title: string, request: RunRequest): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(asked(request)))
    .digest('hex')
    .slice(0, 16);
  const readable = title.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 55);
  return `${readable}-${digest}`;
}

/** The fields in one order, without the caps, which may be raised. */
function asked({ maxUsd: _, maxSeconds: __, ...request }: RunRequest): unknown {
  return Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1));
}

/**
 * Starts the run of a request whose model and data set are in storage, once: a run that is under way is found; one that was
 * cancelled, timed out, failed otherwise than by its input, or stopped at a lower cap goes on; and one that is done is left alone.
 *
 * @throws BadInputError when another request has this id
 */
export async function submitRun(
  { bucket, storage, executions }: Deployment,
  run: string,
  request: RunRequest,
): Promise<Submitted> {
  const isNew = await storage.putIfAbsent(requestKey(run), `${JSON.stringify(request, null, 2)}\n`);
  if (!isNew && !isDeepStrictEqual(asked(await readRequest(storage, run)), asked(request))) {
    throw new BadInputError(`run ${run}`, ['there is a run of this id that asks something else: give another --id']);
  }
  const last = await lastAttempt(executions, run);
  const start = (number: number) =>
    executions.start(attemptName(run, number), { kind: 'run', bucket, run, ...capsOf(request) });
  if (last === undefined) {
    // Step Functions forgets an execution 90 days after its end; its report stays.
    if (!isNew && (await hasReport(storage, run))) return { kind: 'ended', run, status: 'SUCCEEDED', capped: false };
    return { kind: (await start(1)) === 'started' ? 'started' : 'running', run };
  }
  if (isUnderWay(last.execution)) return { kind: 'running', run };
  const end = await endOf(storage, run, last, request);
  if (end === 'goes on') return { kind: (await start(last.number + 1)) === 'started' ? 'resumed' : 'running', run };
  return { kind: 'ended', run, status: last.execution.status, capped: end === 'capped' };
}

/** Whether a run that has ended goes on when the same is asked again. */
async function endOf(
  storage: Deployment['storage'],
  run: string,
  { execution: { status, error } }: Attempt,
  request: RunRequest,
): Promise<'goes on' | 'ended' | 'capped'> {
  if (status === 'FAILED') return error === 'BadInputError' ? 'ended' : 'goes on';
  if (status !== 'SUCCEEDED') return 'goes on';
  const record = await readCaps(storage, run);
  if (record?.stopped === undefined) return 'ended';
  return isRaised(record.caps, capsOf(request)) ? 'goes on' : 'capped';
}

function isRaised(inForce: Caps, given: Caps): boolean {
  return (['maxUsd', 'maxSeconds'] as const).some((name) => {
    const [before, now] = [inForce[name], given[name]];
    return before !== undefined && now !== undefined && now > before;
  });
}

async function hasReport({ list }: Deployment['storage'], run: string): Promise<boolean> {
  const { json } = reportKeys(runPrefix(run));
  return (await list(json)).some(({ key }) => key === json);
}
