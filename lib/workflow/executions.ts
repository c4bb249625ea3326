import { StatesError } from './interpreter/errors';
import type { ExecutionResult } from './interpreter/execute';

/** The executions of one state machine by name, started as Step Functions starts Standard executions. */
export interface Executions {
  /**
   * Starts once per name. A second start with the same input is the same execution while that runs; otherwise it is a
   * StatesError `StepFunctions.ExecutionAlreadyExistsException`.
   */
  start(name: string, input: unknown, run: () => Promise<ExecutionResult>): Promise<ExecutionResult>;
}

export function createExecutions(): Executions {
  const started = new Map<string, { readonly input: string; running: boolean; result: Promise<ExecutionResult> }>();
  return {
    start(name, input, run) {
      const text = JSON.stringify(input);
      const earlier = started.get(name);
      if (earlier !== undefined) {
        if (earlier.running && earlier.input === text) return earlier.result;
        throw new StatesError('StepFunctions.ExecutionAlreadyExistsException', `execution ${name} exists already`);
      }
      const result = run().finally(() => {
        execution.running = false;
      });
      const execution = { input: text, running: true, result };
      started.set(name, execution);
      return result;
    },
  };
}
