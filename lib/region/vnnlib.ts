import { gunzipped } from '../dataset/gunzip';
import { BadInputError } from '../errors';
import type { Box } from './box';
import { type Bound, type Cases, type Conjunction, conjoin, type Declared, disjuncts, mostDisjuncts } from './formula';
import { variableOf } from './linear';
import { type Expression, isList, type List, parseExpressions, textOf } from './sexpr';
import type { HalfSpace, Violation } from './violation';

/** One input box and what must not happen on it. */
export interface Property {
  /** [declared inputs] */
  readonly box: Box;
  /** Coefficients have length [declared outputs]. */
  readonly violation: Violation;
}

/** A `.vnnlib` or `.vnnlib.gz` file; see `parseVnnlib`. */
export function readVnnlib(bytes: Uint8Array, name: string): Property[] {
  return parseVnnlib(new TextDecoder().decode(gunzipped(bytes, name)), name);
}

/**
 * The properties of a VNN-LIB 1.0 text (https://www.vnnlib.org): declared inputs X_i and outputs Y_i, and assertions
 * that together state the violation. Assertions are conjoined and multiplied out; disjuncts with the same input box make
 * one property, so a disjunction over boxes gives several, and the file holds (unsat) when none can be violated.
 *
 * Numbers are read to the nearest float64 and not rounded further. A strict comparison of outputs is read as its
 * non-strict form: the violation grows, which is sound for `robust`, and a tie counts as violation as everywhere here. A
 * strict bound of an input is refused, since a witness on the edge would be none.
 *
 * Throws BadInputError with all problems and their lines: first those of the form (unbalanced parentheses, constructs that
 * are not read, undeclared or non-linear terms), then, if there are none, those of the boxes (missing or crossed bounds).
 */
export function parseVnnlib(text: string, name: string): Property[] {
  const { expressions, problems } = parseExpressions(text);
  const declared = declarations(expressions, problems);
  const cases = violationCases(expressions, declared, problems);
  if (cases === undefined || problems.length > 0) throw new BadInputError(`property ${name}`, problems);
  const properties = propertiesOf(cases, declared, problems);
  if (problems.length > 0) throw new BadInputError(`property ${name}`, problems);
  return properties;
}

/** SMT-LIB commands that say nothing about the property. */
const silent: readonly string[] = ['set-logic', 'set-info', 'set-option', 'check-sat', 'get-model', 'exit'];

function commandOf(expression: Expression): string | undefined {
  if (!isList(expression) || expression.items.length === 0 || isList(expression.items[0])) return undefined;
  return expression.items[0].text;
}

function declarations(expressions: readonly Expression[], problems: string[]): Declared {
  const found = { X: new Set<number>(), Y: new Set<number>() };
  for (const expression of expressions) {
    if (commandOf(expression) !== 'declare-const') continue;
    const [, variable, type, ...rest] = (expression as List).items;
    const named = variable === undefined ? undefined : variableOf(variable);
    if (named === undefined || type === undefined || textOf(type) !== 'Real' || rest.length > 0) {
      problems.push(`line ${expression.line}: ${textOf(expression)} is not (declare-const X_i Real) or Y_i`);
    } else if (found[named.kind].has(named.index)) {
      problems.push(`line ${expression.line}: ${named.kind}_${named.index} is declared twice`);
    } else found[named.kind].add(named.index);
  }
  for (const kind of ['X', 'Y'] as const) {
    const indices = found[kind];
    if (indices.size === 0)
      problems.push(`no ${kind === 'X' ? 'input' : 'output'} ${kind}_0, ${kind}_1, ... is declared`);
    let next = 0;
    while (indices.has(next)) next++;
    if (next < indices.size) problems.push(`${kind}_${next} is not declared, but later ones are`);
  }
  return {
    inputs: found.X.size,
    outputs: found.Y.size,
    has: ({ kind, index }) => found[kind].has(index),
  };
}

function violationCases(expressions: readonly Expression[], declared: Declared, problems: string[]): Cases | undefined {
  const assertions: Conjunction[][] = [];
  for (const expression of expressions) {
    const command = commandOf(expression);
    if (command === 'declare-const' || (command !== undefined && silent.includes(command))) continue;
    const [, formula, ...rest] = isList(expression) ? expression.items : [];
    if (command === 'assert' && formula !== undefined && rest.length === 0) {
      assertions.push(disjuncts(formula, declared, problems));
    } else {
      problems.push(
        `line ${expression.line}: ${textOf(expression)} is not read: declare-const and (assert formula) are`,
      );
    }
  }
  const cases = conjoin(assertions, 1);
  if (cases === undefined)
    problems.push(`the assertions multiply out to more than ${mostDisjuncts} cases: split the file`);
  return cases;
}

function propertiesOf({ common, alternatives }: Cases, declared: Declared, problems: string[]): Property[] {
  const everything = {
    lower: new Float64Array(declared.inputs).fill(-Infinity),
    upper: new Float64Array(declared.inputs).fill(Infinity),
  };
  const base = cut(everything, common.bounds);
  const byBox = new Map<string, { box: Box; violation: HalfSpace[][] }>();
  const reported = new Set<string>();
  for (const { bounds, halfSpaces, line } of alternatives) {
    const box = bounds.length === 0 ? base : cut(base, bounds);
    const key = bounds.length === 0 ? '' : changes(box, base);
    const conditions = [...common.halfSpaces, ...halfSpaces];
    const found = boxProblems(box);
    if (conditions.length === 0) found.push('no assertion compares outputs, so there is nothing to verify');
    for (const problem of found) {
      if (!reported.has(problem)) problems.push(alternatives.length === 1 ? problem : `line ${line}: ${problem}`);
      reported.add(problem);
    }
    const property = byBox.get(key);
    if (property === undefined) byBox.set(key, { box, violation: [conditions] });
    else property.violation.push(conditions);
  }
  return [...byBox.values()];
}

function cut(box: Box, bounds: readonly Bound[]): Box {
  const lower = box.lower.slice();
  const upper = box.upper.slice();
  for (const { index, side, bound } of bounds) {
    if (side === 'lower') lower[index] = Math.max(lower[index], bound);
    else upper[index] = Math.min(upper[index], bound);
  }
  return { lower, upper };
}

/** A text that is equal for equal boxes cut from `base`: the bounds that differ from it. */
function changes({ lower, upper }: Box, base: Box): string {
  const parts: string[] = [];
  for (let i = 0; i < lower.length; i++) {
    if (lower[i] !== base.lower[i] || upper[i] !== base.upper[i]) parts.push(`${i}:${lower[i]}:${upper[i]}`);
  }
  return parts.join(' ');
}

function boxProblems({ lower, upper }: Box): string[] {
  const all = Array.from(lower, (_, i) => i);
  const inputs = (indices: readonly number[]) => {
    const more = indices.length > 5 ? ` and ${indices.length - 5} more` : '';
    return `${indices
      .slice(0, 5)
      .map((i) => `X_${i}`)
      .join(', ')}${more}`;
  };
  const problems: string[] = [];
  const without = (side: string, bounds: Float64Array) => {
    const missing = all.filter((i) => !Number.isFinite(bounds[i]));
    if (missing.length > 0) problems.push(`no ${side} bound of ${inputs(missing)}: assert one`);
  };
  without('lower', lower);
  without('upper', upper);
  const crossed = all.filter((i) => lower[i] > upper[i]);
  if (crossed.length > 0) {
    const [i] = crossed;
    problems.push(`the box is empty: ${lower[i]} <= X_${i} <= ${upper[i]} (in all: ${inputs(crossed)})`);
  }
  return problems;
}
