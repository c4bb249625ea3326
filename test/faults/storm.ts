import type { Law } from '../../bench/support/law';
import { simulatedVerify } from '../../bench/support/simulated-run';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { planRun } from '../../lib/pipeline/plan';
import { reportRun } from '../../lib/pipeline/report';
import type { Storage } from '../../lib/storage/storage';
import {
  coordinateInputSchema,
  planInputSchema,
  reportInputSchema,
  verifyInputSchema,
} from '../../lib/workflow/events';
import type { Clock } from '../../lib/workflow/interpreter/clock';
import { runLocally } from '../../lib/workflow/local';
import { readMapFailures } from '../../lib/workflow/map-results';
import { type Fault, seededFaults } from './faults';
import { createFaultyPool, type FaultyHandler } from './faulty-pool';
import { failing, faultyProcess } from './faulty-process';

/** The run that is disturbed. */
export const run = { id: 'storm', bucket: 'faults' } as const;

/** Balls that are proven, refuted, settled at a later attempt, or never. */
export const law: Law = {
  model: 'simulated',
  epsilon: '0.02',
  perCall: 0.2,
  perBall: 0.1,
  perDoubtful: 0.1,
  proven: 12,
  stories: [
    [['not-robust', 0.2]],
    [['not-robust', 0.2]],
    [
      ['open', 0.5],
      ['robust', 1],
    ],
    [
      ['open', 0.5],
      ['not-robust', 1],
    ],
    [
      ['open', 0.5],
      ['open', 2],
      ['robust', 2],
    ],
    [['open', 2]],
  ],
};

/** The functions of the state machine; `verify` is the part that tests replace. */
export function handlersWith(verify: FaultyHandler): Readonly<Record<string, FaultyHandler>> {
  return {
    verify,
    async plan(payload, storage, now) {
      const asked = planInputSchema.parse(payload);
      if (!('event' in asked)) throw new Error('these runs are planned in one step');
      return { run, round: await planRun(storage, asked.event.run, now) };
    },
    async coordinate(payload, storage, now) {
      const { round, map } = coordinateInputSchema.parse(payload);
      return {
        run,
        round: await coordinateRound(storage, run.id, round.number, await readMapFailures(storage, map), now),
      };
    },
    async report(payload, storage, now) {
      const { failed } = reportInputSchema.parse(payload);
      const failure = failed && { error: failed.error, problems: [failed.cause] };
      return reportRun(storage, run.id, failure, now);
    },
  };
}

export const simulated = handlersWith(async (payload, storage) => {
  const { id } = await simulatedVerify(storage, law, verifyInputSchema.parse(payload).batch);
  return { id };
});

/** Time that is not waited for. */
const instantly: Clock = {
  now: () => 0,
  sleep: async (_, signal) => signal.throwIfAborted(),
  deadline: () => () => {},
};

export interface StormOptions {
  readonly storage: Storage;
  readonly handlers: Readonly<Record<string, FaultyHandler>>;
  readonly seed: number;
  /** What is disturbed: nothing, what is around the mini-batches, or everything. */
  readonly disturbed: 'nothing' | 'coordination' | 'everything';
}

export interface Storm {
  readonly injected: ReadonlyMap<Fault, number>;
  /** Executions that it took: each one after the first goes on with the run, as `resume` does. */
  readonly executions: number;
  readonly ended: boolean;
}

/** More than any run needs. */
const mostExecutions = 300;

/** Executes the run until it succeeds, with faults injected everywhere but into the request. */
export async function storm({ storage, handlers, seed, disturbed }: StormOptions): Promise<Storm> {
  const faults = seededFaults(seed);
  const pool = createFaultyPool({
    storage,
    handlers,
    faults,
    rates: (name) => {
      if (disturbed === 'nothing') return { request: 0, call: 0 };
      if (name !== 'verify') return { request: 0.015, call: 0.25 };
      return disturbed === 'everything' ? { request: 0.08, call: 0.15 } : { request: 0, call: 0 };
    },
    nameOf: (name, payload) => {
      if (name === 'verify') return `verify ${JSON.stringify(payload)}`;
      return name === 'coordinate' ? `coordinate ${coordinateInputSchema.parse(payload).round.number}` : name;
    },
  });
  for (let executions = 1; executions <= mostExecutions; executions++) {
    // What Step Functions itself reads and writes: the plan, and the map's own record.
    const machine = faultyProcess(
      storage,
      `machine ${executions}`,
      faults,
      disturbed === 'nothing' ? 0 : 0.02,
      () => failing,
    );
    const result = await runLocally({
      storage: machine.storage,
      bucket: run.bucket,
      pool,
      concurrency: 4,
      input: { kind: 'run', bucket: run.bucket, run: run.id },
      name: `execution-${executions}`,
      clock: instantly,
      random: () => 0.5,
    });
    if (result.status === 'SUCCEEDED') {
      await pool.drain();
      return { injected: faults.injected, executions, ended: true };
    }
  }
  await pool.drain();
  return { injected: faults.injected, executions: mostExecutions, ended: false };
}
