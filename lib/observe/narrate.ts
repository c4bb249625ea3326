import { z } from 'zod';
import type { Step } from '../group/step';
import { formatNoun, formatSeconds } from '../report/format';
import { batchKindSchema, miniBatchSchema } from '../schedule/records';
import { problemsOfCause } from '../workflow/cause';
import { roundSchema } from '../workflow/events';
import { StatesError } from '../workflow/interpreter/errors';
import type { Invoked, Pool } from '../workflow/pool/pool';

/** Told what happens, for people: a line each. */
export type Narrate = (line: string) => void;

const miniBatch = z.object({
  batch: z.object({
    ...{ run: z.string(), round: z.number(), id: z.string(), kind: batchKindSchema, attempt: z.number() },
    ...{ size: z.number(), label: miniBatchSchema.shape.label, epsilon: z.number() },
  }),
});
const chunk = z.object({ chunk: z.object({ run: z.string(), chunk: z.number() }) });
const ofRun = z.union([
  z.object({ run: z.object({ id: z.string() }) }).transform(({ run }) => run.id),
  z.object({ event: z.object({ run: z.string() }) }).transform(({ event }) => event.run),
  z.object({ scanned: z.object({ id: z.string() }) }).transform(({ scanned }) => scanned.id),
]);
const verified = z.object({ robust: z.number(), notRobust: z.number(), open: z.number() });
const planned = z.object({ round: roundSchema });
const reported = z.object({ status: z.string() });

/**
 * A pool of which each call is told when it ends: what was called, what came of it, and how long it took.
 *
 * @param only the run that all calls are about, if there is one: it need not be named
 */
export function narratingPool(
  pool: Pick<Pool, 'invoke'>,
  narrate: Narrate,
  only?: string,
  now: () => number = Date.now,
): Pick<Pool, 'invoke'> {
  return {
    async invoke(name, payload, options) {
      const begun = now();
      const what = called(name, payload, only);
      try {
        const invoked = await pool.invoke(name, payload, options);
        narrate(`${what}: ${gave(invoked)}; ${times(begun, now(), invoked.cpuSeconds)}`);
        return invoked;
      } catch (error) {
        narrate(`${what}: ${reasonOf(error)}; ${times(begun, now())}`);
        throw error;
      }
    },
  };
}

/** Steps that are told when they end. */
export function narratedStep(narrate: Narrate, now: () => number = Date.now): Step {
  return async (name, work) => {
    const begun = now();
    try {
      return await work();
    } finally {
      narrate(`${name}: ${times(begun, now())}`);
    }
  };
}

/** E.g. `run mnist-1: mini-batch 1-0 (suspect, attempt 2; 1 ball of label 3 at radius 2)`; radii are counted from 1. */
function called(name: string, payload: unknown, only: string | undefined): string {
  const about = (run: string, what: string): string => (run === only ? what : `run ${run}: ${what}`);
  const batch = miniBatch.safeParse(payload);
  if (batch.success) {
    const { run, id, kind, attempt, size, label, epsilon } = batch.data.batch;
    const labels = typeof label === 'number' ? ` of label ${label}` : '';
    const members = `${formatNoun(size, 'ball')}${labels} at radius ${epsilon + 1}`;
    return about(run, `mini-batch ${id} (${kind}, attempt ${attempt}; ${members})`);
  }
  const part = chunk.safeParse(payload);
  if (part.success) return about(part.data.chunk.run, `part ${part.data.chunk.chunk} of the data set`);
  const run = ofRun.safeParse(payload);
  return run.success ? about(run.data, name) : name;
}

function gave({ payload }: Invoked): string {
  const counts = verified.safeParse(payload);
  if (counts.success) {
    const { robust, notRobust, open } = counts.data;
    return `${robust} robust, ${notRobust} not robust, ${open} open`;
  }
  const next = planned.safeParse(payload);
  if (next.success) {
    const { number, batches, done, long, scan } = next.data.round;
    if (done) return 'nothing is left to verify';
    if (scan) return `the data set is looked at in ${formatNoun(batches, 'part')}`;
    return `round ${number} of ${batches} mini-batches${long ? ' that may take long' : ''} is planned`;
  }
  const report = reported.safeParse(payload);
  return report.success ? `the report says ${report.data.status}` : 'done';
}

/** In one line, whatever it was. */
function reasonOf(error: unknown): string {
  if (error instanceof StatesError) return `${error.error}: ${problemsOfCause(error).join('; ')}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function times(begun: number, ended: number, cpuSeconds?: number): string {
  const cpu = cpuSeconds === undefined ? '' : `, ${formatSeconds(cpuSeconds)} of CPU`;
  return `${formatSeconds((ended - begun) / 1000)}${cpu}`;
}
