import { type Expression, isList, textOf } from './sexpr';

/** `X_3` is { kind: 'X', index: 3 }. */
export interface Variable {
  readonly kind: 'X' | 'Y';
  readonly index: number;
}

const variableName = /^([XY])_(0|[1-9]\d*)$/;
const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The network input or output that an expression names, or undefined. */
export function variableOf(expression: Expression): Variable | undefined {
  if (isList(expression) || expression.text[1] !== '_') return undefined;
  const match = variableName.exec(expression.text);
  return match === null ? undefined : { kind: match[1] as 'X' | 'Y', index: Number(match[2]) };
}

/** The nearest float64 of a numeral, `-0.5` or `(- 0.5)`; undefined for anything else, and for what overflows. */
export function numberOf(expression: Expression): number | undefined {
  if (!isList(expression)) {
    const value = numeral.test(expression.text) ? Number(expression.text) : Number.NaN;
    return Number.isFinite(value) ? value : undefined;
  }
  const [minus, operand] = expression.items;
  if (expression.items.length !== 2 || isList(minus) || minus.text !== '-') return undefined;
  const value = numberOf(operand);
  return value === undefined ? undefined : -value;
}

/** A linear term: coefficients by variable name, and a constant. */
export interface LinearTerm {
  readonly coefficients: ReadonlyMap<string, number>;
  readonly constant: number;
}

/**
 * left - right as one linear term, or what is wrong. Terms are numbers, variables, (* number variable), (+ ...), (- ...).
 * Coefficients of a variable that appears more than once, and constants, must add up exactly in float64: a rounded
 * half-space would be another one than the file states.
 */
export function difference(left: Expression, right: Expression): LinearTerm | string {
  const coefficients = new Map<string, number>();
  let constant = 0;
  let problem: string | undefined;

  const sum = (a: number, b: number, what: string): number => {
    const total = a + b;
    // The rounding error of a + b, exactly (D. Knuth, TAOCP 2, section 4.2.2, theorem B).
    const part = total - a;
    const error = a - (total - part) + (b - part);
    if (error !== 0) problem ??= `${what} do not add up exactly in float64: combine them`;
    return total;
  };
  const add = (expression: Expression, factor: number): void => {
    const value = numberOf(expression);
    const variable = variableOf(expression);
    if (value !== undefined) constant = sum(constant, factor * value, 'constants');
    else if (variable !== undefined) addVariable(variable, factor);
    else if (isList(expression)) addOperation(expression.items, factor, expression);
    else problem ??= `${textOf(expression)} is neither a number nor a variable X_i or Y_i`;
  };
  const addVariable = ({ kind, index }: Variable, factor: number): void => {
    const name = `${kind}_${index}`;
    coefficients.set(name, sum(coefficients.get(name) ?? 0, factor, `coefficients of ${name}`));
  };
  const addOperation = ([operator, ...operands]: readonly Expression[], factor: number, whole: Expression): void => {
    const name = operator === undefined || isList(operator) ? '' : operator.text;
    if (name === '+' && operands.length > 0) {
      for (const operand of operands) add(operand, factor);
    } else if (name === '-' && operands.length > 0) {
      const [first, ...rest] = operands;
      add(first, rest.length === 0 ? -factor : factor);
      for (const operand of rest) add(operand, -factor);
    } else if (name === '*' && operands.length === 2) {
      addProduct(operands[0], operands[1], factor, whole);
    } else {
      problem ??= `${textOf(whole)} is no linear term: +, - and (* number variable) are read`;
    }
  };
  const addProduct = (a: Expression, b: Expression, factor: number, whole: Expression): void => {
    const value = numberOf(a) ?? numberOf(b);
    const variable = variableOf(a) ?? variableOf(b);
    if (value !== undefined && variable !== undefined) addVariable(variable, factor * value);
    else problem ??= `${textOf(whole)} is no product of a number and a variable`;
  };

  add(left, 1);
  add(right, -1);
  return problem ?? { coefficients, constant };
}
