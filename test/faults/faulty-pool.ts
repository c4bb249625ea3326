import type { Storage } from '../../lib/storage/storage';
import { StatesError } from '../../lib/workflow/interpreter/errors';
import type { Pool } from '../../lib/workflow/pool/pool';
import { callFaults, type Faults } from './faults';
import { faultyProcess } from './faulty-process';

/** What a function does, over the storage and by the clock of its process. */
export type FaultyHandler = (payload: unknown, storage: Storage, now: () => number) => Promise<unknown>;

export interface FaultyPoolOptions {
  readonly storage: Storage;
  readonly handlers: Readonly<Record<string, FaultyHandler>>;
  readonly faults: Faults;
  /** Faults per request to storage, and per call, by function. */
  readonly rates: (functionName: string) => { readonly request: number; readonly call: number };
  /** What tells a call from others, whenever it is made. */
  readonly nameOf: (functionName: string, payload: unknown) => string;
}

export interface FaultyPool extends Pick<Pool, 'invoke'> {
  /** Lets everything that is late finish. */
  drain(): Promise<void>;
}

interface Late {
  /** Number of the call before which it goes on. */
  readonly until: number;
  readonly go: () => void;
  readonly work: Promise<unknown>;
}

const day = 86_400_000;

/** A pool whose processes, calls and clocks fail as drawn. Each call has a process of its own. */
export function createFaultyPool({ storage, handlers, faults, rates, nameOf }: FaultyPoolOptions): FaultyPool {
  const delivered = new Map<string, number>();
  const late: Late[] = [];
  const background: Promise<unknown>[] = [];
  let calls = 0;
  let offset = 0;
  const now = (): number => Date.UTC(2026, 0, 1) + offset + calls * 1000;

  const resumeLate = (due: (each: Late) => boolean): Late[] => {
    const resumed = late.filter(due);
    for (const each of resumed) {
      late.splice(late.indexOf(each), 1);
      each.go();
    }
    return resumed;
  };

  async function deliver(functionName: string, payload: unknown): Promise<unknown> {
    const what = nameOf(functionName, payload);
    const delivery = delivered.get(what) ?? 0;
    delivered.set(what, delivery + 1);
    const name = `${what} delivery ${delivery}`;
    const { request } = rates(functionName);
    const process = faultyProcess(storage, name, faults, request);
    const work = handlers[functionName](payload, process.storage, now);
    work.catch(() => {});
    try {
      return await Promise.race([work, process.ended]);
    } catch (error) {
      const go = process.resume();
      if (go) late.push({ until: calls + 1 + faults.rng(`${name} late`).int(40), go, work });
      if (error instanceof StatesError) throw error;
      throw new StatesError(error instanceof Error ? error.name : 'Error', String(error));
    }
  }

  return {
    async invoke(functionName, payload) {
      calls++;
      resumeLate(({ until }) => until <= calls);
      const name = `${nameOf(functionName, payload)} call ${delivered.get(nameOf(functionName, payload)) ?? 0} ${calls}`;
      const fault = faults.draw(name, callFaults, rates(functionName).call);
      if (fault === 'throttled') throw new StatesError('Lambda.TooManyRequestsException', 'Rate Exceeded');
      if (fault === 'clock jump') offset += (faults.rng(`${name} jump`).uniform() - 0.5) * 2 * day;
      if (fault === 'delivered twice') background.push(deliver(functionName, payload).catch(() => {}));
      const result = await deliver(functionName, payload);
      if (fault === 'answer of the call lost') throw new StatesError('Lambda.SdkClientException', 'connection reset');
      return { payload: result, cpuSeconds: 0 };
    },
    async drain() {
      for (;;) {
        const resumed = resumeLate(() => true).map(({ work }) => work.catch(() => {}));
        const waiting = [...resumed, ...background.splice(0)];
        if (waiting.length === 0) return;
        await Promise.all(waiting);
      }
    },
  };
}
