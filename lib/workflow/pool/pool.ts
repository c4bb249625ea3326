import { linkedController } from '../interpreter/cancel';
import { StatesError } from '../interpreter/errors';
import { type Child, type ChildOptions, startChild } from './process';
import type { Reply } from './protocol';

export interface PoolOptions extends ChildOptions {
  /** Processes, and so invocations, at the same time. */
  readonly size: number;
  /** Time-out of a function in seconds, as its Lambda has it. */
  readonly timeoutFor: (functionName: string) => number;
}

export interface InvokeOptions {
  /** Instead of the function's own. */
  readonly timeoutSeconds?: number;
  /** Kills the process at work, and rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Invoked {
  readonly payload: unknown;
  /** Of all threads of the process, for this invocation. */
  readonly cpuSeconds: number;
}

/** "Local Lambdas": child processes that run handlers, one invocation at a time each, reused while they live. */
export interface Pool {
  /**
   * The function's result. Rejects with a StatesError named as Step Functions names the failure of a Lambda: the name of
   * the handler's own error; `Sandbox.Timedout`; `Lambda.Unknown` for a process that crashed or ran out of memory.
   */
  invoke(functionName: string, payload: unknown, options?: InvokeOptions): Promise<Invoked>;
  /** Kills the processes; what is at work or waiting is rejected. Resolves when they are gone. */
  close(): Promise<void>;
}

/** Processes start when they are first needed. */
export function createPool(options: PoolOptions): Pool {
  const children = new Set<Child>();
  const idle: Child[] = [];
  const closing = linkedController(new AbortController().signal).controller;
  const places = createPlaces(options.size);

  const take = (): Child => {
    for (const child of children) if (!child.alive()) children.delete(child);
    for (let child = idle.pop(); child !== undefined; child = idle.pop()) if (child.alive()) return child;
    const child = startChild(options);
    children.add(child);
    return child;
  };

  return {
    async invoke(functionName, payload, { timeoutSeconds, signal } = {}) {
      const seconds = timeoutSeconds ?? options.timeoutFor(functionName);
      const { controller, release } = linkedController(closing.signal);
      const cancel = () => controller.abort(signal?.reason);
      if (signal?.aborted) cancel();
      signal?.addEventListener('abort', cancel);
      let timer: NodeJS.Timeout | undefined;
      try {
        await places.acquire(controller.signal);
        try {
          const child = take();
          timer = setTimeout(() => controller.abort(timedOut(seconds)), seconds * 1000);
          const reply = await child.invoke({ functionName, payload }, controller.signal);
          idle.push(child);
          return resultOf(reply);
        } finally {
          places.release();
        }
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        release();
      }
    },
    async close() {
      closing.abort(new Error('the pool is closed'));
      await Promise.all([...children].map((child) => child.kill()));
    },
  };
}

/** Rejects as Lambda does: the runtime of a function that took too long is killed, with this error type. */
function timedOut(seconds: number): StatesError {
  const errorMessage = `Task timed out after ${seconds.toFixed(2)} seconds`;
  return new StatesError('Sandbox.Timedout', JSON.stringify({ errorType: 'Sandbox.Timedout', errorMessage }));
}

function resultOf(reply: Reply): Invoked {
  if (reply.kind === 'error') throw new StatesError(reply.error, reply.cause);
  return { payload: reply.payload, cpuSeconds: reply.cpuSeconds };
}

/** So many places, given in the order in which they were asked for. */
function createPlaces(count: number): { acquire(signal: AbortSignal): Promise<void>; release(): void } {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    acquire(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const stop = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(signal.reason);
        };
        const enter = () => {
          signal.removeEventListener('abort', stop);
          resolve();
        };
        waiting.push(enter);
        signal.addEventListener('abort', stop, { once: true });
      });
    },
    release() {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
