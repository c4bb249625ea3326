import { type Command, InvalidArgumentError } from 'commander';
import { differenceOf, type RunDifference } from '../audit/difference';
import { differenceTable } from '../audit/difference-table';
import { type RunView, readRunView } from '../audit/run-view';
import { BadInputError } from '../errors';
import { wantsColour } from '../report/summary-table';
import { openStorage } from '../storage/open';
import { MissingKeyError } from '../storage/storage';
import { type ExitCode, exitCodes, printJson } from './exit';
import type { Host } from './host';
import { localRun } from './local-run';

interface DiffOptions {
  readonly json?: boolean;
  readonly balls: number;
}

export function addDiff(program: Command, host: Host, done: (code: ExitCode) => void): void {
  program
    .command('diff')
    .description(
      'What changed from one run to another, on the same balls; exit codes: 0 nothing broken or lost, 1 something is, ' +
        '2 bad input, 3 the verdicts contradict each other',
    )
    .argument('<run-a>', 'the earlier run: an --out folder, or <root>/runs/<id> of a folder or s3://bucket')
    .argument('<run-b>', 'the later run')
    .option('--balls <n>', 'changed balls that are listed', count, 20)
    .option('--json', 'print the whole difference as JSON')
    .action(async (a: string, b: string, options: DiffOptions) => done(await diff(host, a, b, options)));
}

async function diff(host: Host, a: string, b: string, { json, balls }: DiffOptions): Promise<ExitCode> {
  const [before, after] = await bothRuns(a, b);
  const difference = differenceOf(before, after);
  const code = codeOf(difference);
  if (json) printJson(host, { ...difference, exitCode: code });
  else host.stdout.write(`${differenceTable(difference, balls, wantsColour(host.stdout))}\n`);
  return code;
}

/** Both runs, or the problems of both. */
async function bothRuns(a: string, b: string): Promise<[RunView, RunView]> {
  const [before, after] = await Promise.allSettled([readRun(a), readRun(b)]);
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
  try {
    return await readRunView(openStorage(root === '' ? '/' : root), run);
  } catch (error) {
    if (!(error instanceof MissingKeyError)) throw error;
    const advice = 'give the --out folder of a run that has ended, or <root>/runs/<id>';
    throw new BadInputError(`run ${place}`, [`there is no ${error.key} in it: ${advice}`], {
      cause: error,
    });
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
