import type { Command } from 'commander';
import type { TargetOptions } from '../client/connect';
import type { RunProgress } from '../client/follow';
import { type Watched, watchRun } from '../client/watch';
import { formatNumber } from '../report/format';
import { summaryJson, summaryTable, wantsColour } from '../report/summary-table';
import { codeOf, tooLow } from './conclusion';
import { type ExitCode, exitCodes, printJson, tell } from './exit';
import type { Host } from './host';
import { interruptible } from './interrupt';
import { positiveNumber, share } from './options';
import { createProgress, type Progress } from './progress';
import { addTargetOptions, checkRunId, remotely, targetArguments } from './remote';
import { addVerbose, narrator, type VerboseOptions } from './verbose';

interface WatchCommandOptions extends TargetOptions, VerboseOptions {
  readonly interval: number;
  readonly once?: boolean;
  readonly failBelow?: number;
  readonly json?: boolean;
}

export function addWatch(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = addTargetOptions(
    program
      .command('watch')
      .description('Follow a run of `submit` until it ends: counts, velocity, cost, time left')
      .argument('<run>', 'id of the run')
      .option('--interval <seconds>', 'time between two looks', positiveNumber, 5)
      .option('--once', 'look once and do not wait')
      .option('--fail-below <share>', 'exit code 1 if the certified accuracy at any radius is below', share),
  ).option('--json', 'print the result as JSON, no progress');
  addVerbose(command, 'how far the run is, whenever that has changed').action(
    async (run: string, options: WatchCommandOptions) => done(await watch(host, run, options)),
  );
}

/** Ctrl-C ends the watching; the run goes on. */
async function watch(host: Host, run: string, options: WatchCommandOptions): Promise<ExitCode> {
  checkRunId(run);
  const narrate = narrator(host, options);
  const quiet = options.json === true || options.once === true || narrate !== undefined;
  const progress = createProgress(quiet, host.stderr);
  let told = '';
  try {
    const watched = await interruptible((signal) =>
      remotely(options, (deployment) =>
        watchRun(deployment, {
          run,
          interval: options.once ? 0 : options.interval,
          signal,
          onProgress(now) {
            show(progress, now);
            const line = sentence(now, false);
            if (line !== told) narrate?.(line);
            told = line;
          },
        }),
      ),
    );
    progress.stop();
    return conclude(host, run, watched, options);
  } finally {
    progress.stop();
  }
}

function show(progress: Progress, now: RunProgress): void {
  progress.phase(now.phase === 'planning' ? 'planning' : `round ${now.rounds + 1}`);
  if (now.balls > 0) progress.update(now.settled, now.balls, detailOf(now));
}

/** E.g. `80 robust, 12 not robust, 0 unknown; 3.1 balls/CPU-s; $0.0012`. */
function detailOf({ robust, notRobust, unknown, velocity, cost }: RunProgress): string {
  return (
    `${robust} robust, ${notRobust} not robust, ${unknown} unknown; ${formatNumber(velocity)} balls/CPU-s; ` +
    `$${formatNumber(cost.usd)}`
  );
}

function conclude(host: Host, run: string, watched: Watched, options: WatchCommandOptions): ExitCode {
  const { json = false, failBelow } = options;
  const command = (name: string): string => `npx baverly ${name} ${run}${targetArguments(options)}`;
  switch (watched.kind) {
    case 'running': {
      const code = options.once ? exitCodes.done : exitCodes.incomplete;
      if (json) printJson(host, { status: 'running', ...watched.progress, exitCode: code });
      else if (options.once) host.stdout.write(`${sentence(watched.progress)}\n`);
      else host.stderr.write(`The run goes on. Follow it again with: ${command('watch')}\n`);
      return code;
    }
    case 'failed': {
      const { execution, error, problems } = watched;
      const refused = error === 'BadInputError';
      const cancelled = execution.status === 'ABORTED' || execution.status === 'TIMED_OUT';
      const subject = cancelled ? `run ${run} was stopped (${error})` : `run ${run} failed (${error})`;
      const code = refused ? exitCodes.badInput : exitCodes.incomplete;
      const advice = cancelled
        ? `Submit the same again and it goes on; ${command('fetch')} reports what it had settled`
        : undefined;
      return tell(host, { subject, problems, error, code, ...(advice && { advice }) }, json);
    }
    case 'done': {
      const { report } = watched;
      const code = codeOf(report, failBelow);
      if (json) printJson(host, { ...summaryJson(report), exitCode: code });
      else {
        host.stdout.write(`${summaryTable(report, wantsColour(host.stdout))}\n`);
        host.stderr.write(`Get the report with: ${command('fetch')}\n`);
      }
      if (code === exitCodes.belowThreshold) host.stderr.write(`${tooLow(report, failBelow!)}\n`);
      return code;
    }
  }
}

function sentence(progress: RunProgress, withTimeLeft = true): string {
  if (progress.phase === 'planning') return 'planning';
  const { rounds, batches, settled, balls, secondsLeft } = progress;
  const left =
    secondsLeft === undefined || !withTimeLeft ? '' : `, about ${formatNumber(Math.ceil(secondsLeft))} s left`;
  return (
    `round ${rounds + 1}: ${batches.done} of ${batches.planned} mini-batches; ${settled} of ${balls} balls${left}; ` +
    detailOf(progress)
  );
}
