import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { writeRecords } from '../dataset/records';
import { requestKey } from '../pipeline/keys';
import { techniquesFromEnvironment } from '../pipeline/techniques';
import { Problems } from '../problems';
import { fileStorage } from '../storage/files';
import { executeRun } from './execute-run';
import type { ExitCode } from './exit';
import { checkOutput, makeOutput } from './files';
import type { Host } from './host';
import { interruptible } from './interrupt';
import { takeLearned } from './learned';
import { localRun } from './local-run';
import { defaultWorkers, positiveInteger, share, workerCount } from './options';
import { modelName, type RunInput, readRunInput } from './run-input';
import { addCapOptions, addRequestOptions, type RequestOptions, requestOf } from './run-options';
import { addVerbose, runHappenings, type VerboseOptions } from './verbose';

interface RunOptions extends RequestOptions, VerboseOptions {
  readonly memory: number;
  readonly out?: string;
  readonly failBelow?: number;
  readonly json?: boolean;
}

export function addRun(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = addCapOptions(
    addRequestOptions(program.command('run').description('Verify a data set on a model, on this machine')),
  )
    .option('--workers <n>', 'processes', workerCount, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option('--out <folder>', 'where the run is kept; a new folder below baverly-runs/ by default')
    .option('--fail-below <share>', 'exit code 1 if the certified accuracy at any radius is below', share)
    .option('--json', 'print the summary as JSON, no progress');
  addVerbose(command, runHappenings).action(async (options: RunOptions) => done(await run(host, options)));
}

async function run(host: Host, options: RunOptions): Promise<ExitCode> {
  const problems = new Problems();
  const folder = path.resolve(options.out ?? freshFolder(options.model));
  problems.of(() => checkOutput(folder));
  // What the processes of the run will read: wrong words are told here, not by each of them.
  problems.of(() => techniquesFromEnvironment());
  const input = readRunInput(options, problems);
  problems.check('the run cannot start');
  return interruptible(async (signal) => {
    makeOutput(folder);
    await writeRequest(folder, options, input!);
    await takeLearned(folder, input!.model);
    return executeRun(host, { ...options, folder, signal });
  });
}

/** Puts model, data set and request into the folder, as someone who starts a run on AWS puts them into the bucket. */
async function writeRequest(folder: string, options: RunOptions, input: RunInput): Promise<void> {
  const storage = fileStorage(folder);
  const keys = { model: `models/${modelName(options.model!)}.onnx`, dataset: 'datasets/data' };
  const request = requestOf(options, input, keys);
  await storage.put(request.model, input.model);
  await writeRecords(storage, request.dataset, input.dataset, input.preprocessing, path.basename(options.data!));
  await storage.put(requestKey(localRun), `${JSON.stringify(request, null, 2)}\n`);
}

/** `baverly-runs/<model>-<time>`: a folder that no other run has. */
function freshFolder(model = 'model'): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const name = path.join('baverly-runs', `${modelName(model)}-${time}`);
  for (let k = 1; ; k++) {
    const folder = k === 1 ? name : `${name}-${k}`;
    if (!existsSync(folder)) return folder;
  }
}
