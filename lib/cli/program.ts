import { Command } from 'commander';
import { description, version } from '../../package.json';
import { addCancel } from './cancel';
import { addDiff } from './diff';
import { addEstimate } from './estimate';
import { type ExitCode, exitCodes, explain } from './exit';
import { addFetch } from './fetch';
import type { Host } from './host';
import { addPolicy } from './policy';
import { addResume } from './resume';
import { addRun } from './run';
import { addRuns } from './runs';
import { addServe } from './serve';
import { addSubmit } from './submit';
import { addVnncomp } from './vnncomp';
import { addWatch } from './watch';

/**
 * The command line: `argv` without the names of node and script. Never throws; what goes wrong is told on `stderr` and by the exit
 * code: 0 done, 1 below the asked threshold, 2 bad input, 3 incomplete.
 */
export async function runCommand(argv: readonly string[], host: Host): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done;
  const done = (ended: ExitCode): void => {
    code = ended;
  };
  const program = new Command('baverly')
    .description(description)
    .version(version)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 below the asked threshold, 2 bad input, 3 incomplete: interrupted, failed, or a cap was reached (resume goes on)',
    );
  addRun(program, host, done);
  addEstimate(program, host, done);
  addResume(program, host, done);
  addVnncomp(program, host, done);
  addPolicy(program, host, done);
  addDiff(program, host, done);
  addSubmit(program, host, done);
  addWatch(program, host, done);
  addFetch(program, host, done);
  addCancel(program, host, done);
  addRuns(program, host, done);
  addServe(program, host, done);
  for (const command of withCommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(see --help)')
      .configureOutput({ writeOut: (text) => host.stdout.write(text), writeErr: (text) => host.stderr.write(text) });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    return explain(host, error, argv.includes('--json'));
  }
  return code;
}

/** A command and all below it. */
function withCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withCommands)];
}
