import type { DispatchContext } from '../../lib/policy/dispatch';
import type { PolicyEvent } from '../../lib/policy/events';
import type { Storage } from '../../lib/storage/storage';
import { memoryStorage } from '../support/memory-storage';

export interface TestContext extends DispatchContext {
  readonly storage: Storage;
  /** Names of the executions, in the order of their start. */
  readonly started: string[];
  readonly published: PolicyEvent[];
}

/** Dispatching over memory, with executions that only get a name. */
export function testContext(storage: Storage = memoryStorage()): TestContext {
  const started: string[] = [];
  const published: PolicyEvent[] = [];
  return {
    storage,
    bucket: 'data',
    started,
    published,
    now: () => Date.parse('2026-11-22T12:00:00Z'),
    events: { publish: async (events) => void published.push(...events) },
    async startRun(name) {
      if (started.includes(name)) return 'exists';
      started.push(name);
      return 'started';
    },
  };
}
