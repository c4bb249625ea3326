import { messageOf } from '../../errors';

/** A failure as a state machine sees it: `ErrorEquals` matches `error`, and `cause` is a text (for a Lambda, JSON). */
export class StatesError extends Error {
  override readonly name = 'StatesError';

  constructor(
    readonly error: string,
    override readonly cause: string,
  ) {
    super(cause === '' ? error : `${error}: ${cause}`);
  }
}

/** Anything thrown, as a StatesError. What is not one already is a defect of a service: `States.Runtime`, uncatchable. */
export function asStatesError(thrown: unknown): StatesError {
  return thrown instanceof StatesError ? thrown : new StatesError('States.Runtime', messageOf(thrown));
}

/** Errors that `States.ALL` and `States.TaskFailed` do not match (Step Functions developer guide, "Handling errors"). */
const terminal = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/** Whether a Retry or Catch with this `ErrorEquals` takes the error. States.Runtime is never taken, even by name. */
export function matchesError(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === 'States.ALL') return !terminal.has(error);
    if (name === 'States.TaskFailed') return !terminal.has(error) && error !== 'States.Timeout';
    return name === error;
  });
}
