import { BadInputError } from '../errors';
import { storageFromEnvironment } from '../storage/open';
import type { DispatchContext } from './dispatch';
import { eventsFromEnvironment } from './open-events';
import { startOnStepFunctions } from './step-functions';

/**
 * What the deployed dispatch functions stand on: BAVERLY_BUCKET, BAVERLY_STATE_MACHINE (its ARN), BAVERLY_EVENT_BUS.
 *
 * @throws BadInputError where one is missing
 */
export function contextFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): DispatchContext {
  const { BAVERLY_BUCKET: bucket, BAVERLY_STATE_MACHINE: stateMachine } = env;
  const missing = Object.entries({ BAVERLY_BUCKET: bucket, BAVERLY_STATE_MACHINE: stateMachine });
  const problems = missing.flatMap(([name, value]) => (value ? [] : [`${name} is not set`]));
  if (!bucket || !stateMachine) throw new BadInputError('environment', problems);
  return {
    storage: storageFromEnvironment(env),
    bucket,
    startRun: startOnStepFunctions(stateMachine),
    events: eventsFromEnvironment(env),
  };
}
