import { CommanderError } from 'commander';
import { BadInputError, messageOf } from '../errors';

/** Exit codes of every command; see `npx baverly --help`. */
export const exitCodes = { done: 0, belowThreshold: 1, badInput: 2, incomplete: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Tells the user on stderr what was wrong, and gives the exit code. Only what nobody foresaw shows a stack trace. */
export function explain(error: unknown, write: (text: string) => void): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.badInput;
  if (error instanceof BadInputError) {
    write(`error: ${error.subject}\n${error.problems.map((problem) => `  - ${printable(problem)}\n`).join('')}`);
    return exitCodes.badInput;
  }
  write(`error: ${printable(messageOf(error))}\n`);
  if (process.env.BAVERLY_DEBUG && error instanceof Error) write(`${error.stack}\n`);
  return exitCodes.incomplete;
}

/** Without control characters: an escape sequence in a file's name does not reach the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, ' ');
}
