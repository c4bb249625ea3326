import Table from 'cli-table3';
import { type Command, Option } from 'commander';
import type { TargetOptions } from '../client/connect';
import { type ListedRun, listRuns } from '../client/list';
import { formatSeconds } from '../report/format';
import { type ExitCode, exitCodes, printable, printJson } from './exit';
import type { Host } from './host';
import { positiveInteger } from './options';
import { addTargetOptions, remotely } from './remote';

/** What the statuses of Step Functions are called here. */
const statuses = {
  running: 'RUNNING',
  done: 'SUCCEEDED',
  failed: 'FAILED',
  'timed-out': 'TIMED_OUT',
  cancelled: 'ABORTED',
} as const;

interface RunsOptions extends TargetOptions {
  readonly status?: keyof typeof statuses;
  readonly limit: number;
  readonly json?: boolean;
}

export function addRuns(program: Command, host: Host, done: (code: ExitCode) => void): void {
  addTargetOptions(
    program
      .command('runs')
      .description('List the runs of a deployment, newest first')
      .addOption(new Option('--status <name>', 'only these').choices(Object.keys(statuses)))
      .option('--limit <n>', 'at most so many', positiveInteger, 20),
  )
    .option('--json', 'print the list as JSON')
    .action(async (options: RunsOptions) => done(await runs(host, options)));
}

async function runs(host: Host, options: RunsOptions): Promise<ExitCode> {
  const status = options.status && statuses[options.status];
  const found = await remotely(options, ({ executions }) => listRuns(executions, options.limit, status));
  const listed = found.map(({ run, status, startDate, stopDate }) => ({
    run,
    status: nameOf(status),
    started: startDate?.toISOString(),
    ended: stopDate?.toISOString(),
  }));
  if (options.json) printJson(host, { runs: listed, exitCode: exitCodes.done });
  else if (found.length === 0) host.stdout.write('no runs\n');
  else host.stdout.write(`${tableOf(found)}\n`);
  return exitCodes.done;
}

function nameOf(status: ListedRun['status']): string {
  return Object.entries(statuses).find(([, name]) => name === status)?.[0] ?? 'running';
}

function tableOf(found: readonly ListedRun[]): string {
  const table = new Table({
    head: ['run', 'status', 'started (UTC)', 'time'],
    style: { head: [], border: [], compact: true },
  });
  for (const { run, status, startDate, stopDate = new Date() } of found) {
    const started = startDate?.toISOString().slice(0, 19).replace('T', ' ') ?? '';
    const seconds = startDate === undefined ? 0 : Math.max(0, stopDate.getTime() - startDate.getTime()) / 1000;
    table.push([printable(run), nameOf(status), started, formatSeconds(Math.round(seconds))]);
  }
  return table.toString();
}
