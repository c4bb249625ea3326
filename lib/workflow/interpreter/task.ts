import { withDeadline } from './cancel';
import { lambdaInvoke, type TaskState } from './definition';
import { asStatesError, StatesError } from './errors';
import { evaluate, evaluateAs, isCount } from './expressions';
import { bindingsOf, type Exit, leave, type Visit } from './frame';
import { withinPayloadLimit } from './limits';

/** One attempt at a Task: arguments, the call with its TimeoutSeconds, the result. */
export async function task(state: TaskState, visit: Visit): Promise<Exit> {
  const { engine, execution } = visit.frame;
  const bindings = bindingsOf(visit);
  const given = await evaluate(state.Arguments, bindings, `${visit.name}/Arguments`);
  withinPayloadLimit(given, `the arguments of ${visit.name}`);
  const seconds =
    state.TimeoutSeconds === undefined
      ? undefined
      : await evaluateAs(state.TimeoutSeconds, bindings, `${visit.name}/TimeoutSeconds`, isCount, 'a whole number');

  execution.history.record('TaskScheduled', { state: visit.name });
  execution.history.record('TaskStarted', { state: visit.name });
  const expired = () => new StatesError('States.Timeout', `${visit.name} took longer than ${seconds} s`);
  let result: unknown;
  try {
    result = await withDeadline(engine.clock, seconds, execution.signal, expired, (signal) =>
      call(state.Resource, given as Arguments, visit, signal),
    );
    withinPayloadLimit(result, `the result of ${visit.name}`);
  } catch (thrown) {
    if (execution.signal.aborted) throw execution.signal.reason;
    const { error, cause } = asStatesError(thrown);
    const type = error === 'States.Timeout' ? 'TaskTimedOut' : 'TaskFailed';
    execution.history.record(type, { state: visit.name, error, cause });
    throw thrown;
  }
  execution.history.record('TaskSucceeded', { state: visit.name });
  return leave(visit, state, bindingsOf(visit, { result }), result, state.Next);
}

/** `Payload` and `Input` may be anything; the others are strings by the schema, or by `textOf`. */
type Arguments = Readonly<Record<'FunctionName' | 'Payload' | 'StateMachineArn' | 'Name' | 'Input', unknown>>;

async function call(
  resource: TaskState['Resource'],
  given: Arguments,
  visit: Visit,
  signal: AbortSignal,
): Promise<unknown> {
  const { services } = visit.frame.engine;
  if (resource === lambdaInvoke) {
    const payload = await services.invoke(textOf(given.FunctionName, visit, 'FunctionName'), given.Payload, { signal });
    // As JSON: a handler that gives nothing gives null.
    return { ExecutedVersion: '$LATEST', Payload: JSON.parse(JSON.stringify(payload ?? null)), StatusCode: 200 };
  }
  const { machineArn } = visit.frame.execution;
  if (given.StateMachineArn !== machineArn) {
    throw new StatesError(
      'StepFunctions.StateMachineDoesNotExistException',
      `only this machine (${machineArn}) can be started, not ${String(given.StateMachineArn)}`,
    );
  }
  const started = await services.startExecution(textOf(given.Name, visit, 'Name'), given.Input);
  return { ExecutionArn: started.executionArn, StartDate: started.startDate };
}

function textOf(value: unknown, visit: Visit, field: string): string {
  if (typeof value === 'string') return value;
  throw new StatesError('States.Runtime', `${visit.name}/Arguments/${field} must be a string`);
}
