import type { Catcher, Retrier } from './definition';
import { asStatesError, matchesError, type StatesError } from './errors';
import { bindingsOf, type Exit, leave, type Visit } from './frame';

interface Handlers {
  readonly Retry?: readonly Retrier[] | undefined;
  readonly Catch?: readonly Catcher[] | undefined;
}

/**
 * Attempts the state until it is left, as Retry and Catch say: the first retrier that matches an error decides, each
 * counts its own attempts, and what is not retried goes to the first catcher that matches.
 */
export async function withHandlers(
  state: Handlers,
  visit: Visit,
  attempt: (visit: Visit) => Promise<Exit>,
): Promise<Exit> {
  const { engine, execution } = visit.frame;
  const attempts = new Map<Retrier, number>();
  for (let retryCount = 0; ; retryCount++) {
    const current = { ...visit, retryCount };
    try {
      return await attempt(current);
    } catch (thrown) {
      if (execution.signal.aborted) throw execution.signal.reason;
      const failure = asStatesError(thrown);
      const retrier = state.Retry?.find(({ ErrorEquals }) => matchesError(ErrorEquals, failure.error));
      const done = (retrier && attempts.get(retrier)) ?? 0;
      if (retrier === undefined || done >= (retrier.MaxAttempts ?? 3)) return await caught(state, current, failure);
      attempts.set(retrier, done + 1);
      const delaySeconds = retryDelay(retrier, done, engine.random);
      engine.onEvent({
        kind: 'retry',
        execution: execution.name,
        state: visit.name,
        error: failure.error,
        delaySeconds,
      });
      await engine.clock.sleep(delaySeconds * 1000, execution.signal);
    }
  }
}

/** Seconds before the retry after `done` earlier ones: IntervalSeconds BackoffRate^done, capped, jitter FULL in [0, that). */
export function retryDelay(retrier: Retrier, done: number, random: () => number): number {
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds = Number.POSITIVE_INFINITY } = retrier;
  const delay = Math.min(IntervalSeconds * BackoffRate ** done, MaxDelaySeconds);
  return retrier.JitterStrategy === 'FULL' ? delay * random() : delay;
}

async function caught(state: Handlers, visit: Visit, failure: StatesError): Promise<Exit> {
  const catcher = state.Catch?.find(({ ErrorEquals }) => matchesError(ErrorEquals, failure.error));
  if (catcher === undefined) throw failure;
  const errorOutput = { Error: failure.error, Cause: failure.cause };
  return leave(visit, catcher, bindingsOf(visit, { errorOutput }), errorOutput, catcher.Next);
}
