import { type Storage, StorageError } from '../../lib/storage/storage';
import { StatesError } from '../../lib/workflow/interpreter/errors';
import type { Faults, StorageFault } from './faults';

/** A process of a function whose requests to storage fail as drawn. */
export interface FaultyProcess {
  readonly storage: Storage;
  /** Rejects, as the state machine hears of it, when the process dies, hangs, or is no longer waited for. */
  readonly ended: Promise<never>;
  /** Lets a process that is late go on; undefined where it is not late. */
  resume(): (() => void) | undefined;
}

/** What may go wrong for somebody who neither dies nor hangs. */
export const failing: readonly StorageFault[] = ['storage unavailable', 'answer of storage lost'];

const always: readonly StorageFault[] = [
  'storage unavailable',
  'answer of storage lost',
  'killed before a request',
  'killed after a request',
  'out of memory',
  'hung',
  'late',
];

const isResult = (key: string): boolean => /\/rounds\/\d+\/results\//.test(key);

function faultsOf(operation: string, key: string): readonly StorageFault[] {
  const written = operation === 'put' || operation === 'putIfAbsent';
  return [
    ...always,
    ...(operation === 'putIfAbsent' ? (['conflicting write'] as const) : []),
    ...(written && isResult(key) ? (['torn result'] as const) : []),
  ];
}

/**
 * @param name of the call: with the number of a request, it names what is drawn
 * @param rate faults per request
 * @param kinds of them
 */
export function faultyProcess(
  inner: Storage,
  name: string,
  faults: Faults,
  rate: number,
  kinds: (operation: string, key: string) => readonly StorageFault[] = faultsOf,
): FaultyProcess {
  let requests = 0;
  let dead = false;
  let paused: { go: () => void } | undefined;
  let end: (error: StatesError) => void = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = reject;
  });
  ended.catch(() => {});
  const die = (error: string, how: string): never => {
    dead = true;
    end(new StatesError(error, how));
    throw new Error(how);
  };
  const never = (error: string): Promise<never> => {
    dead = true;
    end(new StatesError(error, 'Task timed out after 290.00 seconds'));
    return new Promise(() => {});
  };

  async function request<Value>(
    operation: string,
    key: string,
    run: () => Promise<Value>,
    tear?: () => Promise<unknown>,
  ) {
    if (dead) throw new Error('the process is dead');
    const kind = faults.draw(`${name} request ${requests++}`, kinds(operation, key), rate);
    switch (kind) {
      case undefined:
        return run();
      case 'storage unavailable':
        throw new StorageError(operation, key, requests % 2 === 0 ? 'SlowDown (HTTP 503)' : 'InternalError (HTTP 500)');
      case 'conflicting write':
        throw new StorageError(operation, key, 'ConditionalRequestConflict (HTTP 409 after 10 attempts)');
      case 'answer of storage lost':
        await run();
        throw new StorageError(operation, key, 'the connection was closed before the answer');
      case 'torn result':
        await tear?.();
        return die('Lambda.Unknown', 'the process was ended by signal SIGKILL');
      case 'killed before a request':
        return die('Lambda.Unknown', 'the process was ended by signal SIGKILL');
      case 'killed after a request':
        await run();
        return die('Runtime.ExitError', 'the process exited with code 134');
      case 'out of memory':
        return die('Runtime.OutOfMemory', 'the process was ended by signal SIGKILL');
      case 'hung':
        // One that was late is waited for no longer: where it hangs, it is as good as killed, and the storm may end.
        return paused === undefined ? never('Sandbox.Timedout') : die('Sandbox.Timedout', 'hung after it was late');
      case 'late':
        if (paused === undefined) {
          await new Promise<void>((go) => {
            paused = { go };
            end(new StatesError('States.Timeout', ''));
          });
        }
        return run();
    }
  }

  const torn = (key: string, body: Uint8Array | string) => () => inner.put(key, body.slice(0, body.length >> 1));
  return {
    ended,
    resume: () => paused?.go,
    storage: {
      location: inner.location,
      get: (key) => request('get', key, () => inner.get(key)),
      getRange: (key, start, stop) => request('get', key, () => inner.getRange(key, start, stop)),
      put: (key, body) => request('put', key, () => inner.put(key, body), torn(key, body)),
      putIfAbsent: (key, body) => request('putIfAbsent', key, () => inner.putIfAbsent(key, body), torn(key, body)),
      list: (prefix) => request('list', prefix, () => inner.list(prefix)),
    },
  };
}
