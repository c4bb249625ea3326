import path from 'node:path';
import type { Command } from 'commander';
import type { TargetOptions } from '../client/connect';
import { fetchRun } from '../client/fetch';
import { formatNoun } from '../report/format';
import { summaryJson, summaryTable, wantsColour } from '../report/summary-table';
import { codeOf } from './conclusion';
import { type ExitCode, printJson } from './exit';
import { checkWritable, shownPath } from './files';
import type { Host } from './host';
import { addTargetOptions, checkRunId, remotely } from './remote';

interface FetchCommandOptions extends TargetOptions {
  readonly out?: string;
  readonly witnesses: boolean;
  readonly json?: boolean;
}

export function addFetch(program: Command, host: Host, done: (code: ExitCode) => void): void {
  addTargetOptions(
    program
      .command('fetch')
      .description('Bring the report of a run of `submit`, with its counterexamples')
      .argument('<run>', 'id of the run')
      .option('--out <folder>', 'where to; baverly-runs/<run> by default')
      .option('--no-witnesses', 'leave the counterexamples there'),
  )
    .option('--json', 'print the summary as JSON')
    .action(async (run: string, options: FetchCommandOptions) => done(await fetch(host, run, options)));
}

async function fetch(host: Host, run: string, options: FetchCommandOptions): Promise<ExitCode> {
  checkRunId(run);
  const folder = path.resolve(options.out ?? path.join('baverly-runs', run));
  checkWritable(folder);
  const { report, brought, kept, made } = await remotely(options, (deployment) =>
    fetchRun(deployment, { run, folder, witnesses: options.witnesses }),
  );
  const code = codeOf(report, undefined);
  if (options.json) {
    printJson(host, { ...summaryJson(report), folder, brought, kept, made, exitCode: code });
    return code;
  }
  host.stdout.write(`${summaryTable(report, wantsColour(host.stdout))}\n`);
  host.stdout.write(`Report: ${shownPath(path.join(folder, 'report.html'))}\n`);
  host.stderr.write(`${formatNoun(brought, 'file')} brought, ${kept} there already\n`);
  if (made) host.stderr.write('The run ended early: this report, made here, says what it had settled until then\n');
  return code;
}
