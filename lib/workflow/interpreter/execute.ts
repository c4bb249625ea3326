import { messageOf } from '../../errors';
import { linkedController } from './cancel';
import { systemClock } from './clock';
import type { Machine } from './definition';
import { asStatesError } from './errors';
import { runGraph } from './graph';
import { createHistory } from './history';
import { withinPayloadLimit } from './limits';
import type { Engine, EngineOptions } from './services';

export interface ExecuteOptions extends EngineOptions {
  /** Name of the execution. */
  readonly name: string;
  /** ARN of the state machine: `$states.context.StateMachine.Id`. */
  readonly machineArn: string;
  /** Aborted: the execution ends as ABORTED. */
  readonly signal?: AbortSignal;
}

/** How an execution ended; `events` is the length of its history. */
export type ExecutionResult =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown; readonly events: number }
  | { readonly status: 'FAILED'; readonly error: string; readonly cause: string; readonly events: number }
  | { readonly status: 'ABORTED'; readonly cause: string; readonly events: number };

/** Executes a checked definition (check.ts) as a Standard execution. Never throws for what happens inside it. */
export async function execute(machine: Machine, input: unknown, options: ExecuteOptions): Promise<ExecutionResult> {
  const engine: Engine = {
    services: options.services,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    maxParallel: options.maxParallel ?? Number.POSITIVE_INFINITY,
    onEvent: options.onEvent ?? (() => {}),
  };
  const { name, machineArn } = options;
  const history = createHistory('STANDARD', (type, detail) =>
    engine.onEvent({ kind: 'history', execution: name, type, detail }),
  );
  const { controller, release } = linkedController(options.signal ?? new AbortController().signal);
  history.record('ExecutionStarted');
  try {
    const execution = {
      name,
      arn: `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`,
      machineArn,
      input,
      startTime: new Date(engine.clock.now()).toISOString(),
      history,
      signal: controller.signal,
    };
    withinPayloadLimit(input, 'the input of the execution');
    const output = await runGraph(machine, input, { engine, execution, variables: {} });
    history.close('ExecutionSucceeded');
    return { status: 'SUCCEEDED', output, events: history.count() };
  } catch (thrown) {
    if (controller.signal.aborted) {
      history.close('ExecutionAborted');
      return { status: 'ABORTED', cause: messageOf(controller.signal.reason), events: history.count() };
    }
    const { error, cause } = asStatesError(thrown);
    history.close('ExecutionFailed', { error, cause });
    return { status: 'FAILED', error, cause, events: history.count() };
  } finally {
    release();
  }
}
