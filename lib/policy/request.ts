import { capsOf } from '../schedule/caps';
import type { RunRequest } from '../schedule/records';
import { sha256 } from './identity';
import type { ReadPolicy } from './read';
import type { RunPolicy } from './schema';

/**
 * What a policy asks about a version of a model. Every night has a seed of its own, a function of the policy's and the night: attacks on
 * what is still open start elsewhere, and a budget that ends early does not end at the same balls each time.
 *
 * @param night the scheduled time of an audit
 */
export function requestOf(
  { name, version, policy, epsilons }: ReadPolicy,
  model: string,
  about: Pick<RunPolicy, 'modelHash' | 'occasion'>,
  night?: string,
): RunRequest {
  const { dataset, preprocessing, first, secondsPerBall, seed, workers, acceptLowAccuracy } = policy;
  const { thresholds, notify, recheck } = policy;
  return {
    version: 1,
    model,
    dataset,
    epsilons: [...epsilons],
    ...(first !== undefined && { first }),
    mode: 'batch',
    secondsPerBall,
    seed: night === undefined ? seed : seedOf(seed, night),
    workers,
    acceptLowAccuracy,
    ...capsOf(policy),
    ...(preprocessing !== undefined && { preprocessing }),
    policy: { name, version, ...about, thresholds, notify, recheck },
  };
}

function seedOf(seed: number, night: string): number {
  return Number.parseInt(sha256(JSON.stringify([seed, night])).slice(0, 8), 16) >>> 1;
}
