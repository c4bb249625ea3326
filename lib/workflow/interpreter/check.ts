import { BadInputError } from '../../errors';
import { type Machine, type MapState, machineSchema, type State, type StateGraph } from './definition';
import { compile, jsonataOf, whyOf } from './expressions';
import { freeVariables, knownFunctions } from './variables';

/**
 * The definition, once it is certain that the interpreter runs all of it as Step Functions would. Throws a
 * BadInputError with every field, state, resource, transition and expression that is unknown or broken, each by its
 * path.
 */
export function checkMachine(definition: unknown, subject = 'state machine'): Machine {
  const parsed = machineSchema.safeParse(definition);
  if (!parsed.success) {
    throw new BadInputError(
      subject,
      parsed.error.issues.map(({ path, message }) => {
        const given = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], definition);
        return `${path.map(String).join('/') || 'top level'}: ${message}${typeof given === 'string' ? `, not '${given}'` : ''}`;
      }),
    );
  }
  const problems = graphProblems(parsed.data, '', new Set());
  if (problems.length > 0) throw new BadInputError(subject, problems);
  return parsed.data;
}

function graphProblems(graph: StateGraph, path: string, inherited: ReadonlySet<string>): string[] {
  const known = new Set([...inherited, ...assignedIn(graph)]);
  const missing = (target: string, where: string) =>
    target in graph.States ? [] : [`${path}${where}: there is no state '${target}'`];
  return [
    ...missing(graph.StartAt, 'StartAt'),
    ...Object.entries(graph.States).flatMap(([name, state]) => {
      const at = `${path}States/${name}`;
      const { ItemProcessor: processor, ...own } = { ItemProcessor: undefined, ...state } as MapState;
      const shared = processor?.ProcessorConfig.Mode === 'INLINE' ? known : new Set<string>();
      return [
        ...targets(state).flatMap((target) => missing(target, `States/${name}`)),
        ...ending(state, at),
        ...(state.Type === 'Map' ? mapProblems(state, at) : []),
        ...(state.Type === 'Choice' ? choiceProblems(state, at) : []),
        ...(state.Type === 'Wait' && (state.Seconds === undefined) === (state.Timestamp === undefined)
          ? [`${at}: give either Seconds or Timestamp`]
          : []),
        ...expressionProblems(own, at, known),
        ...(processor === undefined ? [] : graphProblems(processor, `${at}/ItemProcessor/`, shared)),
      ];
    }),
  ];
}

function targets(state: State): string[] {
  return [
    ...('Next' in state && state.Next !== undefined ? [state.Next] : []),
    ...('Catch' in state ? (state.Catch ?? []).map(({ Next }) => Next) : []),
    ...(state.Type === 'Choice' ? state.Choices.map(({ Next }) => Next) : []),
    ...(state.Type === 'Choice' && state.Default !== undefined ? [state.Default] : []),
  ];
}

function ending(state: State, at: string): string[] {
  if (state.Type === 'Choice' || state.Type === 'Succeed' || state.Type === 'Fail') return [];
  return (state.Next === undefined) === (state.End === undefined) ? [`${at}: give either Next or End`] : [];
}

function mapProblems(state: MapState, at: string): string[] {
  const distributed = state.ItemProcessor.ProcessorConfig.Mode === 'DISTRIBUTED';
  const required = distributed ? (['ItemReader', 'ResultWriter'] as const) : [];
  const foreign = distributed
    ? (['Items'] as const)
    : (['Label', 'ItemReader', 'ToleratedFailurePercentage', 'ResultWriter'] as const);
  const mode = distributed ? 'a distributed Map' : 'an inline Map';
  return [
    ...required.filter((key) => state[key] === undefined).map((key) => `${at}: ${mode} needs ${key}`),
    ...foreign.filter((key) => state[key] !== undefined).map((key) => `${at}/${key}: not supported in ${mode}`),
  ];
}

/** Whether a rule without Output falls back to the state's is not on record, so it is refused rather than guessed. */
function choiceProblems(state: Extract<State, { Type: 'Choice' }>, at: string): string[] {
  if (state.Output === undefined) return [];
  return state.Choices.flatMap((rule, index) =>
    rule.Output === undefined ? [`${at}/Choices/${index}: needs an Output of its own, since the state has one`] : [],
  );
}

function assignedIn(graph: StateGraph): string[] {
  return Object.values(graph.States).flatMap((state) => {
    const blocks: { Assign?: Record<string, unknown> | undefined }[] = [
      ...('Assign' in state ? [state] : []),
      ...('Catch' in state ? (state.Catch ?? []) : []),
      ...(state.Type === 'Choice' ? state.Choices : []),
    ];
    return blocks.flatMap(({ Assign }) => Object.keys(Assign ?? {}));
  });
}

/** Every string of the state that is, or looks like, JSONata: its syntax, functions and variables. */
function expressionProblems(value: unknown, at: string, variables: ReadonlySet<string>): string[] {
  if (typeof value === 'string') return stringProblems(value, at, variables);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'Comment' ? [] : expressionProblems(inner, `${at}/${key}`, variables),
  );
}

function stringProblems(text: string, at: string, variables: ReadonlySet<string>): string[] {
  const source = jsonataOf(text);
  if (source === undefined) {
    if (text.includes('${')) return [`${at}: substitution ${text} has no value`];
    return text.includes('{%') ? [`${at}: '${text}' is not JSONata: write the whole string as {% ... %}`] : [];
  }
  if (source.includes('${')) return [`${at}: substitution in ${source} has no value`];
  try {
    return freeVariables(compile(source).ast())
      .filter((name) => !['states', '', '$'].includes(name) && !variables.has(name) && !knownFunctions.has(name))
      .map((name) => `${at}: $${name} is neither a variable that is assigned nor a supported function`);
  } catch (error) {
    return [`${at}: ${whyOf(error)}`];
  }
}
