import { type ParseArgsConfig, parseArgs } from 'node:util';
import { BadInputError, messageOf } from '../../lib/errors';

/** Options of a bench by `util.parseArgs`; BadInputError where they are not understood. */
export function optionsOf<Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new BadInputError(messageOf(error), []);
  }
}

/** A number above 0. */
export function positive(text: string, option: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new BadInputError(`--${option} ${text} is not a number above 0`, []);
}
