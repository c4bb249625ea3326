import { usdPerSecond } from '../cost/call';
import { type Cost, costOf } from '../cost/cost';
import { prices } from '../cost/prices';
import type { Allowance, Rates } from '../schedule/budget';
import type { CapsRecord } from '../schedule/caps';
import type { RunRecord } from '../schedule/records';
import type { RunState } from '../schedule/state';

/** Whether this process is a Lambda, and of which processor; elsewhere the deployment's default is what it would have cost. */
function where(env: NodeJS.ProcessEnv): Pick<Cost, 'kind' | 'architecture'> {
  if (env.AWS_LAMBDA_FUNCTION_NAME === undefined) return { kind: 'local', architecture: 'arm64' };
  return { kind: 'aws', architecture: process.arch === 'x64' ? 'x64' : 'arm64' };
}

/** What a run has cost so far, with its report. */
export function costSoFar({ inputs, request }: RunRecord, state: RunState, env = process.env): Cost {
  const balls = inputs * request.epsilons.length;
  return costOf(state.usage, { inputs, balls, workers: request.workers, ...where(env) });
}

/** What another second and ball cost, and how many mini-batches there are at a time. */
export function ratesOf({ request }: RunRecord, env = process.env): Rates {
  return {
    usdPerSecond: usdPerSecond(where(env).architecture),
    usdPerBall: prices.s3Get,
    workers: request.workers,
  };
}

/** Seconds of a cap of time that are kept for what follows the search: writing results, merging, the report. */
const closingSeconds = 2;

/** When searches have to end under a cap of time, in milliseconds since the epoch; undefined: there is none. */
export function searchEnd({ caps: { maxSeconds }, since }: CapsRecord): number | undefined {
  return maxSeconds === undefined ? undefined : since + 1000 * (maxSeconds - Math.min(closingSeconds, maxSeconds / 10));
}

/** What the caps leave at this moment. */
export function allowanceOf(record: CapsRecord, run: RunRecord, state: RunState, now: () => number): Allowance {
  return {
    usd: (record.caps.maxUsd ?? Number.POSITIVE_INFINITY) - costSoFar(run, state).usd,
    seconds: ((searchEnd(record) ?? Number.POSITIVE_INFINITY) - now()) / 1000,
  };
}
