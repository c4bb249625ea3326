import { difference, numberOf, type Variable, variableOf } from './linear';
import { type Expression, isList, textOf } from './sexpr';
import type { HalfSpace } from './violation';

/** X_index <= bound (`upper`) or X_index >= bound (`lower`). */
export interface Bound {
  readonly index: number;
  readonly side: 'lower' | 'upper';
  readonly bound: number;
}

/** All of its bounds and half-spaces hold. `line` is that of its expression, for messages. */
export interface Conjunction {
  readonly bounds: readonly Bound[];
  readonly halfSpaces: readonly HalfSpace[];
  readonly line: number;
}

/** Number of network inputs and outputs that the file declares. */
export interface Declared {
  readonly inputs: number;
  readonly outputs: number;
  has(variable: Variable): boolean;
}

/** A property with more disjuncts is refused rather than multiplied out. */
export const mostDisjuncts = 10_000;

/** A conjunction of formulas in disjunctive normal form: `common` and one of `alternatives` hold. */
export interface Cases {
  readonly common: Conjunction;
  readonly alternatives: readonly Conjunction[];
}

/** Conjoins formulas; undefined when that gives too many disjuncts. What holds in every case is not multiplied out. */
export function conjoin(formulas: readonly (readonly Conjunction[])[], line: number): Cases | undefined {
  const common = merge(
    formulas.flatMap((formula) => (formula.length === 1 ? formula : [])),
    line,
  );
  let alternatives: Conjunction[] = [{ bounds: [], halfSpaces: [], line }];
  for (const formula of formulas) {
    if (formula.length === 1) continue;
    if (alternatives.length * formula.length > mostDisjuncts) return undefined;
    alternatives = alternatives.flatMap((a) => formula.map((b) => merge([a, b], b.line)));
  }
  return { common, alternatives };
}

function merge(parts: readonly Conjunction[], line: number): Conjunction {
  return {
    bounds: parts.flatMap(({ bounds }) => bounds),
    halfSpaces: parts.flatMap(({ halfSpaces }) => halfSpaces),
    line,
  };
}

/**
 * Disjunctive normal form of a formula of `and`, `or` and comparisons; problems, with their lines, are added to the list
 * (what is returned then is incomplete).
 */
export function disjuncts(formula: Expression, declared: Declared, problems: string[]): Conjunction[] {
  const { line } = formula;
  const refuse = (problem: string): Conjunction[] => {
    problems.push(`line ${line}: ${problem}`);
    return [];
  };
  if (!isList(formula) || formula.items.length === 0 || isList(formula.items[0])) {
    return refuse(`${textOf(formula)} is no formula: and, or, <= and >= are read`);
  }
  const [{ text: operator }, ...operands] = formula.items as [{ text: string }, ...Expression[]];
  switch (operator) {
    case 'or':
      return operands.length === 0
        ? refuse('(or) has no operands')
        : operands.flatMap((part) => disjuncts(part, declared, problems));
    case 'and': {
      if (operands.length === 0) return refuse('(and) has no operands');
      const parts = operands.map((part) => disjuncts(part, declared, problems));
      const cases = conjoin(parts, line);
      if (cases === undefined) return refuse(`multiplies out to more than ${mostDisjuncts} cases`);
      return cases.alternatives.map((alternative) => merge([cases.common, alternative], line));
    }
    case '<=':
    case '>=':
    case '<':
    case '>': {
      if (operands.length !== 2) return refuse(`${textOf(formula)} does not compare two terms`);
      const result = comparison(operator, operands[0], operands[1], declared);
      return typeof result === 'string' ? refuse(`${textOf(formula)}: ${result}`) : [{ ...result, line }];
    }
    case '=':
      return refuse(`${textOf(formula)}: write an equation as two comparisons, <= and >=`);
    default:
      return refuse(`${operator} is not read: and, or, <= and >= are`);
  }
}

function undeclared(variable: Variable, declared: Declared): string | undefined {
  return declared.has(variable) ? undefined : `${variable.kind}_${variable.index} is not declared`;
}

function comparison(
  operator: '<=' | '>=' | '<' | '>',
  left: Expression,
  right: Expression,
  declared: Declared,
): Pick<Conjunction, 'bounds' | 'halfSpaces'> | string {
  const isLess = operator[0] === '<';
  const bound = boundOf(left, right, isLess ? 'upper' : 'lower') ?? boundOf(right, left, isLess ? 'lower' : 'upper');
  if (bound !== undefined) {
    const problem = undeclared({ kind: 'X', index: bound.index }, declared);
    if (problem !== undefined) return problem;
    if (operator.length === 1) return `leaves out the edge of the input box: write ${operator}=`;
    return { bounds: [bound], halfSpaces: [] };
  }
  const term = isLess ? difference(right, left) : difference(left, right);
  if (typeof term === 'string') return term;
  const coefficients = new Float64Array(declared.outputs);
  let mentionsInputs = false;
  for (const [name, coefficient] of term.coefficients) {
    const variable: Variable = { kind: name[0] as 'X' | 'Y', index: Number(name.slice(2)) };
    const problem = undeclared(variable, declared);
    if (problem !== undefined) return problem;
    if (variable.kind === 'X') mentionsInputs = true;
    else coefficients[variable.index] = coefficient;
  }
  if (mentionsInputs) return 'an input may only be compared with a number: (<= X_i number) or (>= X_i number)';
  if (term.coefficients.size === 0) return 'compares two numbers';
  return { bounds: [], halfSpaces: [{ coefficients, offset: term.constant }] };
}

function boundOf(variable: Expression, limit: Expression, side: Bound['side']): Bound | undefined {
  const named = variableOf(variable);
  if (named?.kind !== 'X') return undefined;
  const bound = numberOf(limit);
  return bound === undefined ? undefined : { index: named.index, side, bound };
}
