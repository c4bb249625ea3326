import { randomUUID } from 'node:crypto';
import verification from '../../statemachine/verification.asl.json';
import type { Storage } from '../storage/storage';
import { createExecutions } from './executions';
import { checkMachine } from './interpreter/check';
import type { Clock } from './interpreter/clock';
import type { Machine } from './interpreter/definition';
import { type ExecutionResult, execute } from './interpreter/execute';
import type { Services, WorkflowEvent } from './interpreter/services';
import type { Pool } from './pool/pool';
import { substitute } from './substitute';

const functionArn = (name: string) => `arn:aws:lambda:local:000000000000:function:${name}`;
export const machineArn = 'arn:aws:states:local:000000000000:stateMachine:baverly';

/** The name in the ARN of a local function. */
export const functionNameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/**
 * The definition (by default the one that AWS runs) with the local functions and the bucket in it. Throws a BadInputError
 * when it holds anything that the interpreter does not run.
 */
export function localDefinition(bucket: string, definition: unknown = verification): Machine {
  return checkMachine(
    substitute(definition, {
      PlanFunctionArn: functionArn('plan'),
      VerifyFunctionArn: functionArn('verify'),
      // The same function with more memory on AWS; here all processes have the same.
      RefineFunctionArn: functionArn('verify'),
      CoordinateFunctionArn: functionArn('coordinate'),
      ReportFunctionArn: functionArn('report'),
      BucketName: bucket,
    }),
  );
}

export interface LocalMachineOptions {
  /** Amazon States Language with the substitutions of substitute.ts open; by default the one that AWS runs. */
  readonly definition?: unknown;
  readonly storage: Storage;
  /** The name by which events and states call `storage`. */
  readonly bucket: string;
  /** Runs the functions `plan`, `verify`, `coordinate` and `report`. */
  readonly pool: Pick<Pool, 'invoke'>;
  /** Mini-batches at the same time: the size of the pool, so that none waits while its time-out runs. */
  readonly concurrency: number;
  readonly onEvent?: (event: WorkflowEvent) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface StartOptions {
  /** Name of the execution; by default a new one. */
  readonly name?: string;
  /** Aborted (Ctrl-C): the execution and those it started end as ABORTED. */
  readonly signal?: AbortSignal;
}

export type LocalResult = ExecutionResult & {
  /** The executions that this one started (an upload or audit event starts one per run), by name. */
  readonly started: Readonly<Record<string, ExecutionResult>>;
  /** CPU seconds of the functions, by function, with those of `started`. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
};

/** The state machine on this machine: it remembers the names of its executions, so that each runs once. */
export interface LocalMachine {
  /**
   * Executes and waits, also for the executions that it starts; these run one after the other. Throws a StatesError when
   * the name is taken; what fails inside the execution is in the result.
   */
  start(input: unknown, options?: StartOptions): Promise<LocalResult>;
}

/** Throws a BadInputError when the definition holds anything that the interpreter does not run. */
export function createLocalMachine(options: LocalMachineOptions): LocalMachine {
  const machine = localDefinition(options.bucket, options.definition);
  const executions = createExecutions();

  const storage = (bucket: string): Storage => {
    if (bucket === options.bucket) return options.storage;
    throw new RangeError(`there is no bucket ${bucket} here, only ${options.bucket} (${options.storage.location})`);
  };

  return {
    async start(input, { name = randomUUID(), signal = new AbortController().signal } = {}) {
      const cpuSeconds: Record<string, number> = {};
      const started: Record<string, ExecutionResult> = {};
      let line: Promise<unknown> = Promise.resolve();

      const run = (executionName: string, executionInput: unknown) =>
        execute(machine, executionInput, {
          services,
          name: executionName,
          machineArn,
          maxParallel: options.concurrency,
          signal,
          ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
          ...(options.clock === undefined ? {} : { clock: options.clock }),
          ...(options.random === undefined ? {} : { random: options.random }),
        });

      const services: Services = {
        storage,
        async invoke(arn, payload, { signal }) {
          const functionName = functionNameOf(arn);
          const invoked = await options.pool.invoke(functionName, payload, { signal });
          cpuSeconds[functionName] = (cpuSeconds[functionName] ?? 0) + invoked.cpuSeconds;
          return invoked.payload;
        },
        async startExecution(nextName, nextInput) {
          executions.start(nextName, nextInput, () => {
            const result = line.then(() => run(nextName, nextInput));
            line = result.then((ended) => {
              started[nextName] = ended;
            });
            return result;
          });
          return {
            executionArn: `${machineArn.replace(':stateMachine:', ':execution:')}:${nextName}`,
            startDate: new Date(options.clock?.now() ?? Date.now()).toISOString(),
          };
        },
      };

      const result = await executions.start(name, input, () => run(name, input));
      let awaited: Promise<unknown>;
      do {
        awaited = line;
        await awaited;
      } while (awaited !== line);
      return { ...result, started, cpuSeconds };
    },
  };
}

export interface RunLocallyOptions extends LocalMachineOptions, StartOptions {
  readonly input: unknown;
}

/** One execution of the state machine on this machine. */
export function runLocally(options: RunLocallyOptions): Promise<LocalResult> {
  const { input, name, signal, ...machine } = options;
  return createLocalMachine(machine).start(input, {
    ...(name === undefined ? {} : { name }),
    ...(signal === undefined ? {} : { signal }),
  });
}
