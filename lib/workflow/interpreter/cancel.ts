import type { Clock } from './clock';

/** Controllers to abort with a signal: one listener for all, since a signal looks through all its listeners to add one. */
const dependants = new WeakMap<AbortSignal, Set<AbortController>>();

function dependantsOf(parent: AbortSignal): Set<AbortController> {
  let controllers = dependants.get(parent);
  if (controllers === undefined) {
    const created = new Set<AbortController>();
    parent.addEventListener('abort', () => created.forEach((controller) => void controller.abort(parent.reason)));
    dependants.set(parent, created);
    controllers = created;
  }
  return controllers;
}

/** An AbortController that is also aborted, with the same reason, when the parent is. Call `release` when done. */
export function linkedController(parent: AbortSignal): { controller: AbortController; release: () => void } {
  const controller = new AbortController();
  const controllers = dependantsOf(parent);
  if (parent.aborted) controller.abort(parent.reason);
  else controllers.add(controller);
  return { controller, release: () => void controllers.delete(controller) };
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
