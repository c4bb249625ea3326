/** Time, so that a test of retries and time-outs waits for nothing. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after the milliseconds; rejects with the signal's reason when it is aborted first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Calls `expire` after the milliseconds unless the returned function is called first. */
  deadline(milliseconds: number, expire: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    }),
  deadline: (milliseconds, expire) => {
    const timer = setTimeout(expire, milliseconds);
    return () => clearTimeout(timer);
  },
};
