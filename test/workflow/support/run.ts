import type { Storage } from '../../../lib/storage/storage';
import { checkMachine } from '../../../lib/workflow/interpreter/check';
import { StatesError } from '../../../lib/workflow/interpreter/errors';
import { type ExecuteOptions, type ExecutionResult, execute } from '../../../lib/workflow/interpreter/execute';
import type { Services } from '../../../lib/workflow/interpreter/services';
import { memoryStorage } from '../../support/memory-storage';

export const machineArn = 'arn:aws:states:local:000000000000:stateMachine:test';

type Invoke = (payload: never, options: { signal: AbortSignal }) => unknown;

/** Services whose Lambdas are the given functions, by name. */
export function fakeServices(lambdas: Record<string, Invoke> = {}, storage: Storage = memoryStorage()): Services {
  return {
    invoke: async (name, payload, options) => lambdas[name](payload as never, options),
    storage: () => storage,
    startExecution: async (name) => ({ executionArn: `arn:${name}`, startDate: '2026-11-20T02:00:00Z' }),
  };
}

/** Checks and executes a machine of the given states, the first of which starts. */
export function run(
  states: Record<string, unknown>,
  input: unknown = {},
  options: Partial<ExecuteOptions> = {},
): Promise<ExecutionResult> {
  const definition = { QueryLanguage: 'JSONata', StartAt: Object.keys(states)[0], States: states };
  return execute(checkMachine(definition), input, { name: 'test', machineArn, services: fakeServices(), ...options });
}

/** A Task that invokes the Lambda with the state's input. */
export function lambdaTask(name: string, rest: Record<string, unknown> = { End: true }): Record<string, unknown> {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: name, Payload: '{% $states.input %}' },
    Output: '{% $states.result.Payload %}',
    ...rest,
  };
}

/** A Distributed Map over the JSON Lines of `items.jsonl`, with results below `out`. */
export function distributed(
  states: Record<string, unknown>,
  rest: Record<string, unknown> = {},
  execution: 'EXPRESS' | 'STANDARD' = 'EXPRESS',
): Record<string, unknown> {
  return {
    Type: 'Map',
    ItemReader: {
      Resource: 'arn:aws:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSONL' },
      Arguments: { Bucket: 'b', Key: 'items.jsonl' },
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: execution },
      StartAt: Object.keys(states)[0],
      States: states,
    },
    ResultWriter: {
      Resource: 'arn:aws:states:::s3:putObject',
      WriterConfig: { Transformation: 'COMPACT', OutputType: 'JSONL' },
      Arguments: { Bucket: 'b', Prefix: 'out' },
    },
    End: true,
    ...rest,
  };
}

export function throwStates(error: string, cause = 'why'): never {
  throw new StatesError(error, cause);
}
