import { type Command, Option } from 'commander';
import { dataFormats } from '../dataset/dataset';
import type { RunRequest } from '../schedule/records';
import { requestLimits } from '../schedule/request-limits';
import {
  ballSeconds,
  capsFrom,
  fraction,
  fractions,
  nonNegativeInteger,
  positiveInteger,
  positiveNumber,
} from './options';
import type { InputOptions, RunInput } from './run-input';

/** The options that say what a run is: of `run` on this machine and of `submit`. */
export interface RequestOptions extends InputOptions {
  readonly first?: number;
  readonly mode: 'batch' | 'single';
  readonly timePerBall: number;
  readonly workers: number;
  readonly seed: number;
  readonly acceptLowAccuracy?: boolean;
  readonly maxUsd?: number;
  readonly maxMinutes?: number;
}

/** Adds them to a command, but `--workers`, which each explains by itself. */
export function addRequestOptions(command: Command): Command {
  return command
    .option('--model <file>', 'required: the classifier, ONNX (.gz)')
    .option('--data <file>', 'required: the inputs: IDX (.gz), npz, npy, CSV with the label first, CIFAR-10 binary')
    .option('--epsilon <list>', `required: one to ${requestLimits.radii} radii in pixel units: 0.02 or 2/255,8/255`)
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
    .option(
      '--time-per-ball <seconds>',
      `time budget of one ball, at most ${requestLimits.secondsPerBall}`,
      ballSeconds,
      20,
    )
    .option('--seed <n>', 'seed of everything random', nonNegativeInteger, 0)
    .option('--accept-low-accuracy', 'go on although the model hardly beats guessing on this data')
    .option('--preprocessing <file>', 'JSON file with {layout, scale, mean, std, clip} (docs/datasets.md)')
    .addOption(new Option('--layout <name>', 'order of the values of an item').choices(['CHW', 'HWC', 'flat']))
    .option('--scale <x>', 'pixel = value * scale, e.g. 1/255', fraction)
    .option('--mean <list>', 'network input = (pixel - mean) / std, per channel', fractions)
    .option('--std <list>', 'see --mean', fractions)
    .option('--clip <low,high>', 'the valid range of a pixel', fractions);
}

/** Adds what ends a run before it is whole: not to a command that only estimates it. */
export function addCapOptions(command: Command): Command {
  return command
    .option('--max-usd <usd>', 'end when this much would have been spent on AWS (docs/cost.md)', positiveNumber)
    .option('--max-minutes <minutes>', 'end after this time; resume goes on', positiveNumber);
}

/** What is asked, of a model and a data set that are (or will be) at these keys. */
export function requestOf(
  options: RequestOptions,
  { epsilons }: Pick<RunInput, 'epsilons'>,
  keys: Pick<RunRequest, 'model' | 'dataset'>,
): RunRequest {
  return {
    version: 1,
    ...keys,
    epsilons: [...epsilons],
    ...(options.first !== undefined && { first: options.first }),
    mode: options.mode,
    secondsPerBall: options.timePerBall,
    seed: options.seed,
    workers: options.workers,
    acceptLowAccuracy: options.acceptLowAccuracy ?? false,
    ...capsFrom(options),
  };
}
