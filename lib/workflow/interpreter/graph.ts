import type { State, StateGraph } from './definition';
import type { Exit, Frame, Visit } from './frame';
import { map } from './map';
import { withHandlers } from './retry';
import { choice, fail, pass, succeed, wait } from './simple-states';
import { task } from './task';

/** Runs the states from StartAt to an end. Returns the last output; throws the StatesError that nothing caught. */
export async function runGraph(graph: StateGraph, input: unknown, frame: Frame): Promise<unknown> {
  const { engine, execution } = frame;
  let name: string | undefined = graph.StartAt;
  let value = input;
  while (name !== undefined) {
    execution.signal.throwIfAborted();
    const state: State = graph.States[name];
    execution.history.record(`${state.Type}StateEntered`, { state: name });
    const enteredTime = new Date(engine.clock.now()).toISOString();
    const exit: Exit = await runState(state, { name, input: value, enteredTime, retryCount: 0, frame });
    execution.history.record(`${state.Type}StateExited`, { state: name });
    value = exit.output;
    name = exit.next;
  }
  return value;
}

function runState(state: State, visit: Visit): Promise<Exit> {
  switch (state.Type) {
    case 'Pass':
      return pass(state, visit);
    case 'Succeed':
      return succeed(state, visit);
    case 'Fail':
      return fail(state, visit);
    case 'Choice':
      return choice(state, visit);
    case 'Wait':
      return wait(state, visit);
    case 'Task':
      return withHandlers(state, visit, (attempt) => task(state, attempt));
    case 'Map':
      return withHandlers(state, visit, (attempt) => map(state, attempt));
  }
}
