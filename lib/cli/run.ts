import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { dataFormats } from '../dataset/dataset';
import { writeRecords } from '../dataset/records';
import { requestKey } from '../pipeline/keys';
import { Problems } from '../problems';
import type { RunRequest } from '../schedule/records';
import { fileStorage } from '../storage/files';
import { executeRun } from './execute-run';
import type { ExitCode } from './exit';
import { checkOutput, makeOutput } from './files';
import type { Host } from './host';
import { localRun } from './local-run';
import {
  capsFrom,
  defaultWorkers,
  fraction,
  fractions,
  nonNegativeInteger,
  positiveInteger,
  positiveNumber,
  share,
} from './options';
import { type InputOptions, modelName, type RunInput, readRunInput } from './run-input';

interface RunOptions extends InputOptions {
  readonly first?: number;
  readonly mode: 'batch' | 'single';
  readonly timePerBall: number;
  readonly workers: number;
  readonly memory: number;
  readonly seed: number;
  readonly out?: string;
  readonly failBelow?: number;
  readonly json?: boolean;
  readonly acceptLowAccuracy?: boolean;
  readonly maxUsd?: number;
  readonly maxMinutes?: number;
}

export function addRun(program: Command, host: Host, done: (code: ExitCode) => void): void {
  program
    .command('run')
    .description('Verify a data set on a model, on this machine')
    .option('--model <file>', 'required: the classifier, ONNX (.gz)')
    .option('--data <file>', 'required: the inputs: IDX (.gz), npz, npy, CSV with the label first, CIFAR-10 binary')
    .option('--epsilon <list>', 'required: one or more radii in pixel units: 0.02 or 2/255,8/255')
    .option('--labels <file>', 'the labels, where the data file has none (found by name for MNIST-style IDX)')
    .addOption(
      new Option('--format <name>', 'format of the data file, where its name does not tell').choices(dataFormats),
    )
    .option('--first <n>', 'only the first n inputs', positiveInteger)
    .addOption(
      new Option('--mode <mode>', 'mini-batches, or one ball after the other')
        .choices(['batch', 'single'])
        .default('batch'),
    )
    .option('--time-per-ball <seconds>', 'time budget of one ball', positiveNumber, 20)
    .option('--max-usd <usd>', 'end when this much would have been spent on AWS (docs/cost.md)', positiveNumber)
    .option('--max-minutes <minutes>', 'end after this time; resume goes on', positiveNumber)
    .option('--workers <n>', 'processes', positiveInteger, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option('--seed <n>', 'seed of everything random', nonNegativeInteger, 0)
    .option('--out <folder>', 'where the run is kept; a new folder below baverly-runs/ by default')
    .option('--fail-below <share>', 'exit code 1 if the certified accuracy at any radius is below', share)
    .option('--json', 'print the summary as JSON, no progress')
    .option('--accept-low-accuracy', 'go on although the model hardly beats guessing on this data')
    .option('--preprocessing <file>', 'JSON file with {layout, scale, mean, std, clip} (docs/datasets.md)')
    .addOption(new Option('--layout <name>', 'order of the values of an item').choices(['CHW', 'HWC', 'flat']))
    .option('--scale <x>', 'pixel = value * scale, e.g. 1/255', fraction)
    .option('--mean <list>', 'network input = (pixel - mean) / std, per channel', fractions)
    .option('--std <list>', 'see --mean', fractions)
    .option('--clip <low,high>', 'the valid range of a pixel', fractions)
    .action(async (options: RunOptions) => done(await run(host, options)));
}

async function run(host: Host, options: RunOptions): Promise<ExitCode> {
  const problems = new Problems();
  const folder = path.resolve(options.out ?? freshFolder(options.model));
  problems.of(() => checkOutput(folder));
  const input = readRunInput(options, problems);
  problems.check('the run cannot start');
  makeOutput(folder);
  await writeRequest(folder, options, input!);
  return executeRun(host, { ...options, folder });
}

/** Puts model, data set and request into the folder, as someone who starts a run on AWS puts them into the bucket. */
async function writeRequest(folder: string, options: RunOptions, input: RunInput): Promise<void> {
  const storage = fileStorage(folder);
  const request: RunRequest = {
    version: 1,
    model: `models/${modelName(options.model!)}.onnx`,
    dataset: 'datasets/data',
    epsilons: [...input.epsilons],
    ...(options.first !== undefined && { first: options.first }),
    mode: options.mode,
    secondsPerBall: options.timePerBall,
    seed: options.seed,
    workers: options.workers,
    acceptLowAccuracy: options.acceptLowAccuracy ?? false,
    ...capsFrom(options),
  };
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
