import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { checkDataSet } from '../dataset/check';
import { type DataFormat, type DataSet, dataFormats, type Layout, type Preprocessing } from '../dataset/dataset';
import { type Epsilon, parseEpsilons } from '../dataset/epsilon';
import { parseDataSet } from '../dataset/open';
import { defaultPreprocessing, preprocessingSchema } from '../dataset/preprocess';
import { writeRecords } from '../dataset/records';
import { BadInputError } from '../errors';
import { readNetwork } from '../network/read';
import { requestKey } from '../pipeline/keys';
import { parseJson } from '../pipeline/records';
import type { RunRequest } from '../schedule/records';
import { fileStorage } from '../storage/files';
import { conclude, executeRun } from './execute-run';
import type { ExitCode } from './exit';
import { prepareOutput, readUserFile, siblingLabels } from './files';
import { localRun } from './local-run';
import {
  defaultWorkers,
  fraction,
  fractions,
  nonNegativeInteger,
  positiveInteger,
  positiveNumber,
  share,
} from './options';

interface RunOptions {
  readonly model: string;
  readonly data: string;
  readonly labels?: string;
  readonly format?: DataFormat;
  readonly epsilon: string;
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
  readonly preprocessing?: string;
  readonly layout?: Layout;
  readonly scale?: number;
  readonly mean?: number[];
  readonly std?: number[];
  readonly clip?: number[];
}

export function addRun(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('run')
    .description('Verify a data set on a model, on this machine')
    .requiredOption('--model <file>', 'the classifier, ONNX')
    .requiredOption('--data <file>', 'the inputs: IDX (.gz), npz, npy, CSV with the label first, CIFAR-10 binary')
    .requiredOption('--epsilon <list>', 'one or more radii in pixel units: 0.02 or 2/255,8/255')
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
    .option('--std <list>', '', fractions)
    .option('--clip <low,high>', 'the valid range of a pixel', fractions)
    .action(async (options: RunOptions) => done(await run(options)));
}

async function run(options: RunOptions): Promise<ExitCode> {
  const model = readUserFile(options.model, 'model');
  const { dataset, preprocessing, epsilons } = readEverything(options, model.bytes);
  const folder = path.resolve(options.out ?? freshFolder(options.model));
  prepareOutput(folder);
  const storage = fileStorage(folder);
  const name = path.basename(options.model).replace(/\.onnx$/, '') || 'model';
  const request: RunRequest = {
    version: 1,
    model: `models/${name}.onnx`,
    dataset: 'datasets/data',
    epsilons,
    ...(options.first !== undefined && { first: options.first }),
    mode: options.mode,
    secondsPerBall: options.timePerBall,
    seed: options.seed,
    workers: options.workers,
    acceptLowAccuracy: options.acceptLowAccuracy ?? false,
  };
  await storage.put(request.model, model.bytes);
  await writeRecords(storage, request.dataset, dataset, preprocessing, path.basename(options.data));
  await storage.put(requestKey(localRun), `${JSON.stringify(request, null, 2)}\n`);
  const result = await executeRun({ ...options, folder });
  return conclude(result, { ...options, folder });
}

/** Reads and checks all that was given; BadInputError lists the problems of model, data and radii together. */
function readEverything(
  options: RunOptions,
  model: Uint8Array,
): { dataset: DataSet; preprocessing: Preprocessing; epsilons: Epsilon[] } {
  const problems: string[] = [];
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadInputError)) throw error;
      problems.push(...error.problems.map((problem) => `${error.subject}: ${problem}`));
      return undefined;
    }
  };
  const network = collect(() => readNetwork(model, `model ${options.model}`).network);
  const dataset = collect(() => readData(options));
  const preprocessing = dataset && collect(() => preprocessingOf(options, dataset));
  const epsilons = collect(() => parseEpsilons(options.epsilon, preprocessing?.clip ?? [0, 1]));
  if (network && dataset && preprocessing) {
    problems.push(
      ...checkDataSet(dataset, preprocessing, network).map((problem) => `data set ${options.data}: ${problem}`),
    );
  }
  if (dataset && preprocessing && epsilons && problems.length === 0) return { dataset, preprocessing, epsilons };
  throw new BadInputError('the run cannot start', problems);
}

function readData({ data, labels = siblingLabels(data), format }: RunOptions): DataSet {
  return parseDataSet({
    data: readUserFile(data, 'data'),
    labels: labels === undefined ? undefined : readUserFile(labels, 'labels'),
    format,
  }).dataset;
}

/** Defaults by the data, then the file, then single options. */
function preprocessingOf(options: RunOptions, dataset: DataSet): Preprocessing {
  const { preprocessing: file, layout, scale, mean, std, clip } = options;
  const subject = file === undefined ? 'preprocessing' : `preprocessing ${file}`;
  const stated = file === undefined ? {} : parseJson(preprocessingSchema, readText(file), subject);
  const given = Object.entries({ layout, scale, mean, std, clip }).filter(([, value]) => value !== undefined);
  const merged = { ...defaultPreprocessing(dataset), ...stated, ...Object.fromEntries(given) };
  return parseJson(preprocessingSchema, JSON.stringify(merged), subject);
}

function readText(file: string): string {
  readUserFile(file, 'preprocessing');
  return readFileSync(file, 'utf8');
}

/** `baverly-runs/<model>-<time>`: a folder that no other run has. */
function freshFolder(model: string): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return path.join('baverly-runs', `${path.basename(model).replace(/\.onnx$/, '')}-${time}`);
}
