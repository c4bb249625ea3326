import type { Storage } from '../../../lib/storage/storage';
import type { PlanOutput, Round, RunReference } from '../../../lib/workflow/events';
import {
  coordinateInputSchema,
  planInputSchema,
  reportInputSchema,
  verifyInputSchema,
} from '../../../lib/workflow/events';
import { StatesError } from '../../../lib/workflow/interpreter/errors';
import { readMapFailures } from '../../../lib/workflow/map-results';
import type { Pool } from '../../../lib/workflow/pool/pool';

export interface Call {
  readonly name: string;
  readonly payload: unknown;
}

type Handler = (payload: never) => unknown;

/** A pool without processes, whose functions are these; `calls` lists what they were called with. */
export function fakePool(handlers: Record<string, Handler>): Pick<Pool, 'invoke'> & { readonly calls: Call[] } {
  const calls: Call[] = [];
  return {
    calls,
    async invoke(name, payload, options) {
      calls.push({ name, payload });
      options?.signal?.throwIfAborted();
      return { payload: await handlers[name](payload as never), cpuSeconds: 0.5 };
    },
  };
}

export const runEvent = (run: string) => ({ kind: 'run' as const, bucket: 'data', run });

/**
 * The four functions, checking what they are called with: runs of two rounds of three mini-batches, the second one
 * long.
 */
export function twoRounds(storage: Storage): Record<'plan' | 'verify' | 'coordinate' | 'report', Handler> {
  const roundOf = async (run: RunReference, number: number): Promise<Round> => {
    const planKey = `runs/${run.id}/rounds/${number}/plan.jsonl`;
    const lines = [0, 1, 2].map((n) => `${JSON.stringify({ id: `${number}-${n}` })}\n`);
    await storage.put(planKey, lines.join(''));
    return { number, planKey, batches: 3, maxConcurrency: 2, long: number === 1, done: number === 2 };
  };
  return {
    async plan(payload): Promise<PlanOutput> {
      const asked = planInputSchema.parse(payload);
      if (!('event' in asked)) throw new TypeError('these runs are not scanned');
      const { event } = asked;
      const run = { id: event.run, bucket: event.bucket };
      return { run, round: await roundOf(run, 0) };
    },
    verify: (payload) => verifyInputSchema.parse(payload).batch,
    async coordinate(payload) {
      const { run, round, map } = coordinateInputSchema.parse(payload);
      const failures = await readMapFailures(storage, map);
      await storage.put(`runs/${run.id}/failures-${round.number}.json`, JSON.stringify(failures));
      return { run, round: await roundOf(run, round.number + 1) };
    },
    report(payload) {
      const { run, failed } = reportInputSchema.parse(payload);
      return { reportKey: `runs/${run.id}/report.json`, counts: { robust: 3 }, status: failed ? 'failed' : 'done' };
    },
  };
}

export function fail(error: string, cause = 'why'): never {
  throw new StatesError(error, cause);
}
