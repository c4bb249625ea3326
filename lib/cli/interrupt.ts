const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does work that Ctrl-C (or SIGTERM) aborts through the signal which it gets. What the work leaves behind when it is aborted
 * must be all made in it, so that there is no moment at which it is there and Ctrl-C just ends the process. A second Ctrl-C does that.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    for (const signal of signals) process.removeListener(signal, interrupt);
    controller.abort(new Error('interrupted'));
  };
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.removeListener(signal, interrupt);
  }
}
