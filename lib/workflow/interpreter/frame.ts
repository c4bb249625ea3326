import type { Bindings } from './expressions';
import { evaluate } from './expressions';
import type { History } from './history';
import { withinPayloadLimit } from './limits';
import type { Engine } from './services';

/** One execution: that of the state machine, or a child of a Distributed Map. */
export interface Execution {
  readonly name: string;
  readonly arn: string;
  readonly machineArn: string;
  readonly input: unknown;
  readonly startTime: string;
  readonly history: History;
  /** Aborted when the execution has to end: cancelled, or out of time. */
  readonly signal: AbortSignal;
}

/** Where a state runs. */
export interface Frame {
  readonly engine: Engine;
  readonly execution: Execution;
  /** Set by Assign. An iteration of an inline Map has its own copy. */
  readonly variables: Record<string, unknown>;
  /** `$states.context.Map`, inside an inline Map and in an ItemSelector. */
  readonly mapItem?: { readonly Index: number; readonly Value: unknown };
}

/** A state at work: its name, what it was given, and how often it was retried. */
export interface Visit {
  readonly name: string;
  readonly input: unknown;
  readonly enteredTime: string;
  readonly retryCount: number;
  readonly frame: Frame;
}

/** How a state was left. Without `next` the graph ends. */
export interface Exit {
  readonly output: unknown;
  readonly next: string | undefined;
}

/** What the state's expressions see: `$states.input`, `.context`, `.result` or `.errorOutput`, and the variables. */
export function bindingsOf(
  { name, input, enteredTime, retryCount, frame }: Visit,
  extra: { result?: unknown; errorOutput?: unknown } = {},
): Bindings {
  const { execution, mapItem } = frame;
  const context = {
    Execution: {
      Id: execution.arn,
      Input: execution.input,
      Name: execution.name,
      RedriveCount: 0,
      StartTime: execution.startTime,
    },
    State: { EnteredTime: enteredTime, Name: name, RetryCount: retryCount },
    StateMachine: { Id: execution.machineArn, Name: execution.machineArn.split(':').at(-1) },
    ...(mapItem === undefined ? {} : { Map: { Item: mapItem } }),
  };
  return { ...frame.variables, states: { input, context, ...extra } };
}

/**
 * Leaves a state: its Output (or `fallback`) and its Assign, both evaluated with the variables as they were, and only
 * then assigned.
 */
export async function leave(
  visit: Visit,
  block: { readonly Output?: unknown; readonly Assign?: Readonly<Record<string, unknown>> | undefined },
  bindings: Bindings,
  fallback: unknown,
  next: string | undefined,
): Promise<Exit> {
  const output = block.Output === undefined ? fallback : await evaluate(block.Output, bindings, `${visit.name}/Output`);
  const assigned = await evaluate(block.Assign ?? {}, bindings, `${visit.name}/Assign`);
  withinPayloadLimit(output, `the output of ${visit.name}`);
  Object.assign(visit.frame.variables, assigned);
  return { output, next };
}
