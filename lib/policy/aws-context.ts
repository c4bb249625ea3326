import { SFNClient } from '@aws-sdk/client-sfn';
import { BadInputError } from '../errors';
import { storageFromEnvironment } from '../storage/open';
import type { S3StorageOptions } from '../storage/s3';
import { startOnStepFunctions } from '../workflow/start-execution';
import type { DispatchContext } from './dispatch';
import { eventsFromEnvironment } from './open-events';

/**
 * What the deployed dispatch functions stand on: BAVERLY_BUCKET, BAVERLY_STATE_MACHINE (its ARN), BAVERLY_EVENT_BUS.
 *
 * @param through what the requests to the bucket go through
 * @throws BadInputError where one is missing
 */
export function contextFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
  through?: S3StorageOptions['through'],
): DispatchContext {
  const { BAVERLY_BUCKET: bucket, BAVERLY_STATE_MACHINE: stateMachine } = env;
  const missing = Object.entries({ BAVERLY_BUCKET: bucket, BAVERLY_STATE_MACHINE: stateMachine });
  const problems = missing.flatMap(([name, value]) => (value ? [] : [`${name} is not set`]));
  if (!bucket || !stateMachine) throw new BadInputError('environment', problems);
  return {
    storage: storageFromEnvironment(env, through),
    bucket,
    startRun: startOnStepFunctions(stateMachine, new SFNClient()),
    events: eventsFromEnvironment(env),
  };
}
