import jsonata from 'jsonata';
import { StatesError } from './errors';

/** What expressions see: `$states`, and each variable by its name. */
export type Bindings = Readonly<Record<string, unknown>>;

/** The JSONata of `{% ... %}`, undefined for a literal string. */
export function jsonataOf(text: string): string | undefined {
  return text.startsWith('{%') && text.endsWith('%}') && text.length >= 4 ? text.slice(2, -2).trim() : undefined;
}

// Compiled expressions hold no state between evaluations; a definition has some fifty of them.
const compiled = new Map<string, jsonata.Expression>();

/** Compiles once. Throws jsonata's error where the syntax is wrong. */
export function compile(source: string): jsonata.Expression {
  let expression = compiled.get(source);
  if (expression === undefined) {
    expression = jsonata(source);
    compiled.set(source, expression);
  }
  return expression;
}

/**
 * The template with every `{% ... %}` in it replaced by its value; other values stay as they are. As on AWS, an
 * expression that fails, or that gives nothing or a function, is a `States.QueryEvaluationError`.
 *
 * @param field where the template stands, for the message
 */
export async function evaluate(template: unknown, bindings: Bindings, field: string): Promise<unknown> {
  if (typeof template === 'string') {
    const source = jsonataOf(template);
    return source === undefined ? template : evaluateJsonata(source, bindings, field);
  }
  if (Array.isArray(template)) {
    return Promise.all(template.map((element, index) => evaluate(element, bindings, `${field}[${index}]`)));
  }
  if (typeof template === 'object' && template !== null) {
    const values = Object.entries(template).map(
      async ([key, value]) => [key, await evaluate(value, bindings, `${field}/${key}`)] as const,
    );
    return Object.fromEntries(await Promise.all(values));
  }
  return template;
}

async function evaluateJsonata(source: string, bindings: Bindings, field: string): Promise<unknown> {
  let value: unknown;
  try {
    value = await compile(source).evaluate(undefined, { ...bindings });
  } catch (error) {
    throw queryError(source, field, whyOf(error));
  }
  if (value === undefined) throw queryError(source, field, 'it gave nothing (undefined)');
  try {
    // A copy: JSONata marks its arrays, and a value must not be shared between states.
    return JSON.parse(JSON.stringify(value, refuseFunctions));
  } catch (error) {
    throw queryError(source, field, whyOf(error));
  }
}

/** jsonata throws objects with a message that are no Errors. */
export function whyOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

function refuseFunctions(_key: string, value: unknown): unknown {
  const isFunction =
    typeof value === 'function' ||
    (typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value));
  if (isFunction) throw new TypeError('it gave a function');
  return value;
}

function queryError(source: string, field: string, why: string): StatesError {
  return new StatesError(
    'States.QueryEvaluationError',
    `the JSONata expression '${source}' of ${field} failed: ${why}`,
  );
}

type Guard<T> = (value: unknown) => value is T;

/** Evaluates where the language asks for one type; another one is a `States.QueryEvaluationError`, as on AWS. */
export async function evaluateAs<T>(
  template: unknown,
  bindings: Bindings,
  field: string,
  is: Guard<T>,
  wanted: string,
): Promise<T> {
  const value = await evaluate(template, bindings, field);
  if (is(value)) return value;
  const shown = JSON.stringify(value);
  throw new StatesError(
    'States.QueryEvaluationError',
    `${field} must be ${wanted}, but is ${shown.length > 100 ? `${shown.slice(0, 100)}...` : shown}`,
  );
}

export const isString: Guard<string> = (value) => typeof value === 'string';
export const isBoolean: Guard<boolean> = (value) => typeof value === 'boolean';
export const isArray: Guard<unknown[]> = (value) => Array.isArray(value);
export const isPercentage = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 100;
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
