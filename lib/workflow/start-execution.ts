import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { RunEvent } from './events';

/**
 * Starts runs on AWS Step Functions. A Standard execution of one name exists once within 90 days: `exists` when there is or was one,
 * which may run. What fails otherwise is what the SDK throws.
 */
export function startOnStepFunctions(stateMachineArn: string, client: Pick<SFNClient, 'send'>) {
  return async (name: string, input: RunEvent): Promise<'started' | 'exists'> => {
    try {
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      return 'started';
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return 'exists';
      throw error;
    }
  };
}
