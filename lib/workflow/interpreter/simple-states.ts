import type { ChoiceState, State, WaitState } from './definition';
import { StatesError } from './errors';
import { type Bindings, evaluateAs, isBoolean, isCount, isString } from './expressions';
import { bindingsOf, type Exit, leave, type Visit } from './frame';

type Pass = Extract<State, { Type: 'Pass' }>;
type Succeed = Extract<State, { Type: 'Succeed' }>;
type Fail = Extract<State, { Type: 'Fail' }>;

export function pass(state: Pass, visit: Visit): Promise<Exit> {
  return leave(visit, state, bindingsOf(visit), visit.input, state.Next);
}

export function succeed(state: Succeed, visit: Visit): Promise<Exit> {
  return leave(visit, state, bindingsOf(visit), visit.input, undefined);
}

/** Always throws. */
export async function fail(state: Fail, visit: Visit): Promise<never> {
  const bindings = bindingsOf(visit);
  const text = (template: string, field: string) =>
    evaluateAs(template, bindings, `${visit.name}/${field}`, isString, 'a string');
  throw new StatesError(await text(state.Error ?? '', 'Error'), await text(state.Cause ?? '', 'Cause'));
}

/** Takes the first rule whose Condition is true. Output and Assign of the state itself belong to its Default. */
export async function choice(state: ChoiceState, visit: Visit): Promise<Exit> {
  const bindings = bindingsOf(visit);
  for (const [index, rule] of state.Choices.entries()) {
    const field = `${visit.name}/Choices[${index}]/Condition`;
    if (await evaluateAs(rule.Condition, bindings, field, isBoolean, 'a boolean')) {
      return leave(visit, rule, bindings, visit.input, rule.Next);
    }
  }
  if (state.Default === undefined) throw new StatesError('States.NoChoiceMatched', `no rule of ${visit.name} matched`);
  return leave(visit, state, bindings, visit.input, state.Default);
}

export async function wait(state: WaitState, visit: Visit): Promise<Exit> {
  const { engine, execution } = visit.frame;
  const bindings = bindingsOf(visit);
  await engine.clock.sleep(await waitMilliseconds(state, bindings, visit), execution.signal);
  return leave(visit, state, bindings, visit.input, state.Next);
}

async function waitMilliseconds(state: WaitState, bindings: Bindings, visit: Visit): Promise<number> {
  if (state.Seconds !== undefined) {
    const field = `${visit.name}/Seconds`;
    return 1000 * (await evaluateAs(state.Seconds, bindings, field, isCount, 'a whole number of at least 0'));
  }
  const field = `${visit.name}/Timestamp`;
  const time = await evaluateAs(
    state.Timestamp,
    bindings,
    field,
    isTimestamp,
    'an RFC 3339 time (2026-01-31T02:00:00Z)',
  );
  return Math.max(0, Date.parse(time) - visit.frame.engine.clock.now());
}

function isTimestamp(value: unknown): value is string {
  const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
  return typeof value === 'string' && rfc3339.test(value) && !Number.isNaN(Date.parse(value));
}
