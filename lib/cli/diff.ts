import { type Command, InvalidArgumentError } from 'commander';
import { differenceOf, type RunDifference } from '../audit/difference';
import { differenceTable } from '../audit/difference-table';
import { type RunView, readRunView } from '../audit/run-view';
import type { TargetOptions } from '../client/connect';
import { BadInputError } from '../errors';
import { wantsColour } from '../report/summary-table';
import { openStorage } from '../storage/open';
import { MissingKeyError, type Storage } from '../storage/storage';
import { type ExitCode, exitCodes, printJson } from './exit';
import type { Host } from './host';
import { localRun } from './local-run';
import { addTargetOptions, checkRunId, remotely } from './remote';

interface DiffOptions extends TargetOptions {
  readonly json?: boolean;
  readonly balls: number;
}

export function addDiff(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('diff')
    .description(
      'What changed from one run to another, on the same balls; exit codes: 0 nothing broken or lost, 1 something is, ' +
        '2 bad input, 3 the verdicts contradict each other',
    )
    .argument(
      '<run-a>',
      'the earlier run: an --out folder, or <root>/runs/<id> of a folder or s3://bucket; with an option that names a deployment, an id',
    )
    .argument('<run-b>', 'the later run');
  addTargetOptions(command)
    .option('--balls <n>', 'changed balls that are listed', count, 20)
    .option('--json', 'print the whole difference as JSON')
    .action(async (a: string, b: string, options: DiffOptions) => {
      const isDeployed = targetNames.some((name) => command.getOptionValueSource(name) === 'cli');
      done(await diff(host, await (isDeployed ? deployedRuns(a, b, options) : bothRuns(a, b, readRun)), options));
    });
}

/** Options any of which says that the runs are those of a deployment. */
const targetNames = ['stack', 'region', 'endpoint', 'bucket', 'stateMachine'];

function deployedRuns(a: string, b: string, options: TargetOptions): Promise<[RunView, RunView]> {
  checkRunId(a);
  checkRunId(b);
  return remotely(options, ({ storage }) => bothRuns(a, b, (run) => viewIn(storage, run, `run ${run}`)));
}

function diff(host: Host, [before, after]: [RunView, RunView], { json, balls }: DiffOptions): ExitCode {
  const difference = differenceOf(before, after);
  const code = codeOf(difference);
  if (json) printJson(host, { ...difference, exitCode: code });
  else host.stdout.write(`${differenceTable(difference, balls, wantsColour(host.stdout))}\n`);
  return code;
}

/** Both runs, or the problems of both. */
async function bothRuns(a: string, b: string, read: (run: string) => Promise<RunView>): Promise<[RunView, RunView]> {
  const [before, after] = await Promise.allSettled([read(a), read(b)]);
  if (before.status === 'fulfilled' && after.status === 'fulfilled') return [before.value, after.value];
  const problems: string[] = [];
  for (const result of [before, after]) {
    if (result.status === 'fulfilled') continue;
    if (!(result.reason instanceof BadInputError)) throw result.reason;
    const { subject, problems: found } = result.reason;
    problems.push(...found.map((problem) => `${subject}: ${problem}`));
  }
  throw new BadInputError('the runs cannot be compared', problems);
}

async function readRun(place: string): Promise<RunView> {
  const [, root = place, run = localRun] = /^(.*?)\/runs\/([^/]+)\/?$/.exec(place) ?? [];
  return viewIn(openStorage(root === '' ? '/' : root), run, `run ${place}`);
}

async function viewIn(storage: Storage, run: string, subject: string): Promise<RunView> {
  try {
    return await readRunView(storage, run);
  } catch (error) {
    if (!(error instanceof MissingKeyError)) throw error;
    const advice =
      'give the --out folder of a run that has ended, or <root>/runs/<id>; or the id of one, and with --stack or --endpoint where it is';
    throw new BadInputError(subject, [`there is no ${error.key} in it: ${advice}`], { cause: error });
  }
}

function codeOf({ radii, contradictions }: RunDifference): ExitCode {
  if (contradictions.length > 0) return exitCodes.incomplete;
  const isWorse = radii.some(({ newlyBroken, lost }) => newlyBroken + lost > 0);
  return isWorse ? exitCodes.belowThreshold : exitCodes.done;
}

function count(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number of 0 or more.');
}
