import type { Storage } from '../storage/storage';
import { StatesError } from '../workflow/interpreter/errors';
import { type ExecutionResult, execute } from '../workflow/interpreter/execute';
import type { Services } from '../workflow/interpreter/services';
import { functionNameOf, localDefinition, machineArn } from '../workflow/local';
import type { Pool } from '../workflow/pool/pool';
import { localBucket } from './credentials';
import { ExecutionExistsError, type Executions } from './step-functions/executions';
import type { ExecutionRecord } from './step-functions/record';

export interface WorkflowOptions {
  readonly storage: Storage;
  readonly pool: Pick<Pool, 'invoke'>;
  /** Mini-batches at the same time: the size of the pool, so that none waits while its time-out runs. */
  readonly concurrency: number;
  /** Where a state starts further executions. */
  readonly executions: () => Pick<Executions, 'start'>;
}

/** Runs executions of the definition that AWS runs, with the local functions, on the local bucket. */
export function createWorkflow({ storage, pool, concurrency, executions }: WorkflowOptions) {
  const machine = localDefinition(localBucket);
  const services: Services = {
    storage(bucket) {
      if (bucket === localBucket) return storage;
      throw new RangeError(`there is no bucket ${bucket} here, only ${localBucket} (${storage.location})`);
    },
    async invoke(arn, payload, { signal }) {
      return (await pool.invoke(functionNameOf(arn), payload, { signal })).payload;
    },
    async startExecution(name, input) {
      try {
        const { startDate } = await executions().start(name, JSON.stringify(input));
        return { executionArn: `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`, startDate };
      } catch (error) {
        if (!(error instanceof ExecutionExistsError)) throw error;
        throw new StatesError('StepFunctions.ExecutionAlreadyExistsException', error.message);
      }
    },
  };
  return ({ name, input }: ExecutionRecord, signal: AbortSignal): Promise<ExecutionResult> =>
    execute(machine, JSON.parse(input), { services, name, machineArn, maxParallel: concurrency, signal });
}
