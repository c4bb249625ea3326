import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  paginateListExecutions,
  type SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { RunEvent } from '../workflow/events';
import { startOnStepFunctions } from '../workflow/start-execution';

export type { ExecutionStatus };

/** An execution of the state machine; attempts.ts says how those of a run are named. */
export interface Execution {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: Date | undefined;
  readonly stopDate: Date | undefined;
  /** Of FAILED and ABORTED. */
  readonly error?: string;
  readonly cause?: string;
}

/** The executions of one state machine. What fails otherwise than stated is what the SDK throws. */
export interface RemoteExecutions {
  /** `exists`: there is or was one of this name, which may run. */
  start(name: string, input: RunEvent): Promise<'started' | 'exists'>;
  find(name: string): Promise<Execution | undefined>;
  /** All of them, newest first. */
  all(): AsyncIterable<Execution>;
  /** Ends it as ABORTED. */
  stop(name: string, cause: string): Promise<void>;
}

export function remoteExecutions(client: SFNClient, stateMachineArn: string): RemoteExecutions {
  const arnOf = (name: string): string => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    start: startOnStepFunctions(stateMachineArn, client),
    async find(name) {
      try {
        return executionOf(await client.send(new DescribeExecutionCommand({ executionArn: arnOf(name) })));
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },
    async *all() {
      for await (const { executions = [] } of paginateListExecutions({ client, pageSize: 100 }, { stateMachineArn })) {
        yield* executions.map(executionOf);
      }
    },
    async stop(name, cause) {
      await client.send(new StopExecutionCommand({ executionArn: arnOf(name), error: 'Cancelled', cause }));
    },
  };
}

function executionOf(
  described: Pick<DescribeExecutionOutput, 'name' | 'status' | 'startDate' | 'stopDate' | 'error' | 'cause'>,
): Execution {
  const { name = '', status = 'RUNNING', startDate, stopDate, error, cause } = described;
  return {
    name,
    status,
    startDate,
    stopDate,
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  };
}
