import { type Bundle, bundlesOf, isSmall, workOf } from './bundle';
import { createScratch } from './scratch';
import type { StepCall, StepPrograms } from './steps';
import { type CpuClock, sparingClock } from './time-limit';

/**
 * One frontier for the searches of several balls: each search runs as if alone, but its calls of the step programs wait until every search has
 * one, and then small ones of the same program are made together, as one batched call (bundle.ts). So sub-problems of many balls, at whatever
 * stage of their searches (levels, neurons, trees), share calls that one ball's rows cannot fill.
 *
 * Sound: rows of a ball meet only its own matrices, and padding adds exact zeros, so its bounds are what they are alone, up to the order of
 * summation, which the error terms cover (docs/soundness.md, "The search"). What a search decides depends on its own bounds alone.
 */
export interface Frontier {
  /** A search joins; it must leave, however it ends, or the others wait forever. */
  join(): Lane;
}

/** The place of one search in a frontier. */
export interface Lane {
  readonly steps: Pick<StepPrograms, 'get'>;
  /** CPU time that this search took so far, microseconds: of shared calls its share. */
  readonly cpuClock: CpuClock;
  leave(): void;
}

/** A call that waits. */
interface Request {
  readonly lane: { spent: number };
  readonly call: StepCall;
  readonly isLast: boolean;
  readonly end: number;
  readonly isFolded: boolean;
  done(): void;
  failed(error: unknown): void;
}

export function createFrontier(steps: StepPrograms): Frontier {
  const lanes = new Set<{ spent: number }>();
  let waiting: Request[] = [];
  /** By program, from one round of calls to the next: most calls make many steps. */
  const bundles = new Map<string, Bundle[]>();
  /** Those that the time since `mark` was spent on. */
  let latest: readonly Request[] = [];
  const clock = sparingClock();
  let mark = clock();
  /** Charges the time since the last round of calls to its searches, by the work of their calls; reading the clock costs too much for each call. */
  const charge = (): void => {
    const now = clock();
    const work = latest.reduce((sum, { call }) => sum + workOf(call), 0);
    for (const { lane, call } of latest) lane.spent += ((now - mark) * workOf(call)) / work;
    mark = now;
  };

  /** Makes all calls that wait, once every search does. */
  const proceed = (): void => {
    if (waiting.length === 0 || waiting.length < lanes.size) return;
    const requests = waiting;
    waiting = [];
    charge();
    latest = requests;
    void makeAll(requests);
  };

  const makeAll = async (requests: readonly Request[]): Promise<void> => {
    const byProgram = new Map<string, Request[]>();
    for (const request of requests) {
      const key = `${request.end} ${request.isFolded}`;
      byProgram.set(key, [...(byProgram.get(key) ?? []), request]);
    }
    for (const key of bundles.keys()) if (!byProgram.has(key)) bundles.delete(key);
    for (const [key, own] of byProgram) await makeOf(key, own);
  };

  const makeOf = async (key: string, requests: readonly Request[]): Promise<void> => {
    const { end, isFolded } = requests[0];
    const by = new Map(requests.map((request) => [request.call, request]));
    try {
      const small = requests.filter(({ call }) => isSmall(call)).map(({ call }) => call);
      const { kept, rest } = arrange(bundles.get(key) ?? [], small);
      const session = rest.length > 1 ? await steps.batched(end, isFolded) : undefined;
      const { bundles: added, alone } = session ? bundlesOf(session, rest) : { bundles: [], alone: rest };
      bundles.set(key, [...kept, ...added]);
      for (const bundle of [...kept, ...added]) {
        const members = bundle.calls.flatMap((call) => (call ? [by.get(call)!] : []));
        await settle(members, () => bundle.run((call) => by.get(call)!.isLast));
      }
      const program = await steps.get(end, isFolded);
      const single = new Set(alone);
      for (const request of requests)
        if (single.has(request.call) || !isSmall(request.call))
          await settle([request], () => program.run(request.call, request.isLast));
    } catch (error) {
      // Of a program that does not compile; a request that is answered already stays so.
      for (const { failed } of requests) failed(error);
    }
  };

  /** Runs a call for some requests, and lets their searches go on. */
  const settle = async (requests: readonly Request[], run: () => Promise<void>): Promise<void> => {
    try {
      await run();
      for (const { done } of requests) done();
    } catch (error) {
      for (const { failed } of requests) failed(error);
    }
  };

  return {
    join() {
      if (lanes.size === 0) mark = clock();
      const lane = { spent: 0 };
      const scratch = createScratch();
      lanes.add(lane);
      return {
        steps: {
          get: async (end, isFolded = false) => ({
            scratch,
            run: (call, isLast) =>
              new Promise((done, failed) => {
                waiting.push({ lane, call, isLast, end, isFolded, done, failed });
                proceed();
              }),
          }),
        },
        cpuClock: () => lane.spent,
        leave() {
          charge();
          lanes.delete(lane);
          latest = latest.filter((request) => request.lane !== lane);
          proceed();
        },
      };
    },
  };
}

/** Calls to bundles that they are in, or that have a place for them; bundles less than half full are given up. */
function arrange(bundles: readonly Bundle[], calls: readonly StepCall[]): { kept: Bundle[]; rest: StepCall[] } {
  const waiting = new Set(calls);
  const kept: Bundle[] = [];
  for (const bundle of bundles) bundle.keep(waiting);
  const placed = new Set(bundles.flatMap((bundle) => bundle.calls.filter((call) => call !== undefined)));
  for (const call of calls) {
    if (!placed.has(call) && bundles.some((bundle) => bundle.admit(call))) placed.add(call);
  }
  for (const bundle of bundles) {
    const members = bundle.calls.filter((call) => call !== undefined);
    if (members.length > 1 && 2 * members.length >= bundle.calls.length) kept.push(bundle);
    else for (const call of members) placed.delete(call);
  }
  return { kept, rest: calls.filter((call) => !placed.has(call)) };
}
