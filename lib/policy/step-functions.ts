import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { StartRun } from './dispatch';

/** Starts runs on AWS Step Functions. A Standard execution of one name exists once within 90 days. */
export function startOnStepFunctions(
  stateMachineArn: string,
  client: Pick<SFNClient, 'send'> = new SFNClient(),
): StartRun {
  return async (name, input) => {
    try {
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      return 'started';
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return 'exists';
      throw error;
    }
  };
}
