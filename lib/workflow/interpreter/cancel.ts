import { setMaxListeners } from 'node:events';
import type { Clock } from './clock';

/** An AbortController that is also aborted, with the same reason, when the parent is. Call `release` when done. */
export function linkedController(parent: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  // A Distributed Map listens once per child at work: thousands are no leak.
  setMaxListeners(0, controller.signal);
  const abort = () => controller.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener('abort', abort);
  return { controller, release: () => parent.removeEventListener('abort', abort) };
}

/**
 * Does the work, and stops waiting for it when the signal is aborted (throwing its reason) or after the given seconds
 * (throwing `expired()`). The work's own signal is aborted in both cases.
 */
export async function withDeadline<T>(
  clock: Clock,
  seconds: number | undefined,
  signal: AbortSignal,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { controller, release } = linkedController(signal);
  const cancelDeadline =
    seconds === undefined ? () => {} : clock.deadline(seconds * 1000, () => controller.abort(expired()));
  try {
    controller.signal.throwIfAborted();
    return await new Promise<T>((resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
      work(controller.signal).then(resolve, reject);
    });
  } finally {
    cancelDeadline();
    release();
  }
}
