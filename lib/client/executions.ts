import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type ExecutionStatus,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { RunEvent } from '../workflow/events';

export type { ExecutionStatus };

/** An execution of the state machine; the one of a run has the run's id as its name. */
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
  /** Newest first, at most so many. */
  list(limit: number, status?: ExecutionStatus): Promise<Execution[]>;
  /** Ends it as ABORTED. */
  stop(name: string, cause: string): Promise<void>;
  /** Goes on with one that was aborted or timed out. */
  redrive(name: string): Promise<void>;
}

export function remoteExecutions(client: SFNClient, stateMachineArn: string): RemoteExecutions {
  const arnOf = (name: string): string => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return 'started';
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return 'exists';
        throw error;
      }
    },
    async find(name) {
      try {
        return executionOf(await client.send(new DescribeExecutionCommand({ executionArn: arnOf(name) })));
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },
    async list(limit, status) {
      const found: Execution[] = [];
      let nextToken: string | undefined;
      do {
        const maxResults = Math.min(1000, limit - found.length);
        const filter = { ...(status && { statusFilter: status }), ...(nextToken && { nextToken }) };
        const page = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults, ...filter }));
        found.push(...(page.executions ?? []).map(executionOf));
        nextToken = page.nextToken;
      } while (nextToken !== undefined && found.length < limit);
      return found;
    },
    async stop(name, cause) {
      await client.send(new StopExecutionCommand({ executionArn: arnOf(name), error: 'Cancelled', cause }));
    },
    async redrive(name) {
      await client.send(new RedriveExecutionCommand({ executionArn: arnOf(name) }));
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
