import { Command } from 'commander';
import { description, version } from '../../package.json';
import { type ExitCode, explain } from './exit';
import { addResume } from './resume';
import { addRun } from './run';
import { addVnncomp } from './vnncomp';

/** The command line. Exit codes: 0 done, 1 below the asked threshold, 2 bad input, 3 incomplete. */
async function main(argv: readonly string[]): Promise<void> {
  const done = (code: ExitCode): void => {
    process.exitCode = code;
  };
  const program = new Command('baverly')
    .description(description)
    .version(version)
    .showHelpAfterError('(see --help)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 below the asked threshold, 2 bad input, 3 incomplete (resume goes on)',
    )
    .exitOverride();
  addRun(program, done);
  addResume(program, done);
  addVnncomp(program, done);
  for (const command of program.commands) command.exitOverride().showHelpAfterError('(see --help)');
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    done(explain(error, (text) => process.stderr.write(text)));
  }
}

void main(process.argv);
