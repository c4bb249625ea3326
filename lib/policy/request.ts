import { capsOf } from '../schedule/caps';
import type { RunRequest } from '../schedule/records';
import type { ReadPolicy } from './read';
import type { RunPolicy } from './schema';

/** What a policy asks about a version of a model. */
export function requestOf(
  { name, version, policy, epsilons }: ReadPolicy,
  model: string,
  about: Pick<RunPolicy, 'modelHash' | 'occasion'>,
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
    seed,
    workers,
    acceptLowAccuracy,
    ...capsOf(policy),
    ...(preprocessing !== undefined && { preprocessing }),
    policy: { name, version, ...about, thresholds, notify, recheck },
  };
}
