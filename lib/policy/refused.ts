import { type PolicyEvent, policyEvent } from './events';
import type { RefusedPolicy } from './read';

/** One event per policy that cannot be read: nothing is verified by it, which its owner has to know. */
export function refusedEvents(refused: readonly RefusedPolicy[], at: string): PolicyEvent[] {
  return refused.map(({ key, problems }) =>
    policyEvent([key, ...problems], {
      type: 'Policy Refused',
      at,
      message: `${key} cannot be read, so nothing is verified by it (npx baverly policy check): ${problems.join('; ')}`,
      notify: [],
      policy: key,
      problems,
    }),
  );
}
