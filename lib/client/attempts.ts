import { BadInputError } from '../errors';
import type { Execution, RemoteExecutions } from './executions';

/**
 * The executions of a run: the first has the run's id as its name, the next ones (the run was stopped, and goes on) `<id>--2`,
 * `<id>--3`, ... Every one goes on with what the ones before left in storage.
 */
export interface Attempt {
  /** From 1 on. */
  readonly number: number;
  readonly execution: Execution;
}

export function attemptName(run: string, number: number): string {
  return number === 1 ? run : `${run}--${number}`;
}

/** The run that an execution is of. */
export function runOf(executionName: string): string {
  return executionName.replace(/--\d{1,3}$/, '');
}

/** Why an id cannot be given to a new run, if it cannot. */
export function problemOfNewRun(run: string): string | undefined {
  if (runOf(run) !== run) return 'ends like the name of a further attempt (--2, --3, ...): choose another';
  return run.length > longestId ? `has ${run.length} characters: at most ${longestId} are possible` : undefined;
}

/** An execution's name has at most 80 characters, the mark of a further attempt among them. */
const longestId = 75;

/** The last attempt of a run, looked for from the given one on; undefined when there is none. */
export async function lastAttempt(
  executions: Pick<RemoteExecutions, 'find'>,
  run: string,
  from = 1,
): Promise<Attempt | undefined> {
  let last: Attempt | undefined;
  for (let number = from; ; number++) {
    const execution = await executions.find(attemptName(run, number));
    if (execution === undefined) return last;
    last = { number, execution };
  }
}

/** @throws BadInputError when there is no such run */
export async function findAttempt(executions: Pick<RemoteExecutions, 'find'>, run: string, from = 1): Promise<Attempt> {
  const last = await lastAttempt(executions, run, from);
  if (last) return last;
  throw new BadInputError(`run ${run}`, ['there is no such run: `npx baverly runs` lists those that there are']);
}

/** Whether an execution has not ended. */
export function isUnderWay({ status }: Pick<Execution, 'status'>): boolean {
  return status === 'RUNNING' || status === 'PENDING_REDRIVE';
}
