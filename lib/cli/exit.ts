import { CommanderError } from 'commander';
import { BadInputError, messageOf } from '../errors';
import type { Host } from './host';

/** Exit codes of every command; see `npx baverly --help`. */
export const exitCodes = { done: 0, belowThreshold: 1, badInput: 2, incomplete: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Why a command did not do what was asked. */
export interface Failed {
  /** What went wrong or could not be used, in a few words. */
  readonly subject: string;
  readonly problems: readonly string[];
  /** Name of the error, for programs. */
  readonly error: string;
  readonly code: ExitCode;
  /** What to do now, where it is not part of the problems. */
  readonly advice?: string;
}

/** Problems that people are told, at most: a file that is something else may have one in each line. */
const mostTold = 20;

/** Tells a failure: for people on stderr, and with `json` also on stdout for programs. */
export function tell(host: Host, { subject, problems, error, code, advice }: Failed, json: boolean): ExitCode {
  const told = problems.slice(0, mostTold).map((problem) => `  - ${problem}`);
  if (problems.length > mostTold) told.push(`  - and ${problems.length - mostTold} more`);
  const lines = [`error: ${subject}`, ...told, ...(advice ? [advice] : [])];
  host.stderr.write(lines.map((line) => `${printable(line)}\n`).join(''));
  if (json)
    printJson(host, { status: 'failed', error, problems: problems.length > 0 ? problems : [subject], exitCode: code });
  return code;
}

/** Tells what a command threw. Commander has told its own errors already; only BAVERLY_DEBUG shows a stack trace. */
export function explain(host: Host, thrown: unknown, json: boolean): ExitCode {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return exitCodes.done;
    const problems = [thrown.message.replace(/^error: /, '')];
    if (json) printJson(host, { status: 'failed', error: 'BadInputError', problems, exitCode: exitCodes.badInput });
    return exitCodes.badInput;
  }
  if (process.env.BAVERLY_DEBUG && thrown instanceof Error) host.stderr.write(`${thrown.stack}\n`);
  if (thrown instanceof BadInputError) {
    const { subject, problems, name: error } = thrown;
    return tell(host, { subject, problems, error, code: exitCodes.badInput }, json);
  }
  const error = thrown instanceof Error ? thrown.name : 'Error';
  return tell(host, { subject: messageOf(thrown), problems: [], error, code: exitCodes.incomplete }, json);
}

export function printJson(host: Host, value: object): void {
  host.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Without control characters: an escape sequence in a file's name does not reach the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, ' ');
}
