import type { Command } from 'commander';
import type { Narrate } from '../observe/narrate';
import { printable } from './exit';
import type { Host } from './host';

export interface VerboseOptions {
  readonly verbose?: boolean;
}

/** What is told of a run. */
export const runHappenings = 'plan, mini-batches with their verdicts and times, merging, report';

/** Adds `--verbose` to a command. */
export function addVerbose(command: Command, what: string): Command {
  return command.option('--verbose', `tell on stderr, with the time of day, what happens: ${what}`);
}

/** Where lines of `--verbose` go: stderr, the time (UTC) before each; nowhere without the option. */
export function narrator(host: Host, { verbose }: VerboseOptions, now: () => number = Date.now): Narrate | undefined {
  if (verbose !== true) return undefined;
  return (line) => {
    const time = new Date(now()).toISOString().slice(11, 23);
    host.stderr.write(`${time} ${printable(line).replaceAll('\n', ' ')}\n`);
  };
}
