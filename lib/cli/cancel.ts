import type { Command } from 'commander';
import { type Cancelled, cancelRun } from '../client/cancel';
import type { TargetOptions } from '../client/connect';
import { formatNoun } from '../report/format';
import { type ExitCode, exitCodes, printJson } from './exit';
import type { Host } from './host';
import { addTargetOptions, checkRunId, remotely, targetArguments } from './remote';

interface CancelOptions extends TargetOptions {
  readonly json?: boolean;
}

export function addCancel(program: Command, host: Host, done: (code: ExitCode) => void): void {
  addTargetOptions(program.command('cancel').description('Stop a run of `submit`').argument('<run>', 'id of the run'))
    .option('--json', 'print the result as JSON')
    .action(async (run: string, options: CancelOptions) => done(await cancel(host, run, options)));
}

async function cancel(host: Host, run: string, options: CancelOptions): Promise<ExitCode> {
  checkRunId(run);
  const cancelled = await remotely(options, (deployment) => cancelRun(deployment, run));
  const code = cancelled.kind === 'cancelled' ? exitCodes.done : exitCodes.incomplete;
  if (options.json) printJson(host, { run, ...cancelled, exitCode: code });
  else host.stdout.write(`${told(run, cancelled, targetArguments(options))}\n`);
  return code;
}

function told(run: string, cancelled: Cancelled, target: string): string {
  if (cancelled.kind === 'ended') return `Run ${run} had ended (${cancelled.status}); nothing was done.`;
  const { progress, results } = cancelled;
  const { settled, balls, rounds } = progress;
  const kept =
    balls === 0
      ? 'It had settled nothing.'
      : `Kept: ${formatNoun(rounds, 'merged round')} and ${formatNoun(results, 'result')} of the round under way, in all ` +
        `${settled} of ${balls} balls settled.`;
  return [
    `Run ${run} is stopped. ${kept}`,
    'Model, data set and everything that it had written stay; submit the same again and it goes on from there.',
    ...(balls > 0 ? [`A report of the merged rounds: npx baverly fetch ${run}${target}`] : []),
  ].join('\n');
}
