import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { writeRecords } from '../dataset/records';
import { BadInputError } from '../errors';
import { estimateRun, type RunSample } from '../estimate/estimate';
import { lookAt, subset } from '../estimate/look';
import { readSample } from '../estimate/read-sample';
import { requestKey } from '../pipeline/keys';
import { Problems } from '../problems';
import { fileStorage } from '../storage/files';
import { estimateText } from './estimate-text';
import { type ExitCode, exitCodes, printJson } from './exit';
import type { Host } from './host';
import { interruptible } from './interrupt';
import { localRun, runInFolder } from './local-run';
import { defaultWorkers, positiveInteger, share, workerCount } from './options';
import { createProgress } from './progress';
import { type RunInput, readRunInput } from './run-input';
import { addRequestOptions, type RequestOptions, requestOf } from './run-options';

interface EstimateCommandOptions extends RequestOptions {
  readonly memory: number;
  readonly sample: number;
  readonly precision: number;
  readonly json?: boolean;
}

export function addEstimate(program: Command, host: Host, done: (code: ExitCode) => void): void {
  addRequestOptions(
    program
      .command('estimate')
      .description('Say what a run would take: CPU-seconds, US dollars on AWS, minutes, and the share that stays open'),
  )
    .option('--workers <n>', 'mini-batches at the same time in the run; here, processes', workerCount, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option(
      '--sample <n>',
      'about so many inputs to verify for it, at most; at least two of each group that is alike',
      positiveInteger,
      1000,
    )
    .option('--precision <share>', 'stop sampling when the CPU-seconds are known within this share', share, 0.15)
    .option('--json', 'print the estimate as JSON, no progress')
    .action(async (options: EstimateCommandOptions) => done(await estimate(host, options)));
}

async function estimate(host: Host, options: EstimateCommandOptions): Promise<ExitCode> {
  const problems = new Problems();
  const input = readRunInput(options, problems);
  problems.check('the run cannot be estimated');
  const { model, dataset, preprocessing, epsilons } = input!;
  const folder = mkdtempSync(path.join(tmpdir(), 'baverly-estimate-'));
  try {
    const count = Math.min(options.first ?? dataset.count, dataset.count);
    const { seed, mode, timePerBall: secondsPerBall, sample, precision } = options;
    const pool = await lookAt(model, dataset, preprocessing, count, seed);
    const settings = {
      epsilons: epsilons.map(({ value }) => value),
      ...{ mode, secondsPerBall, seed, precision, workers: options.workers },
      pilot: Math.ceil(sample / 3),
      most: sample,
    };
    const found = await interruptible((signal) =>
      estimateRun(pool, settings, sampleRunner(host, options, input!, folder, signal)),
    );
    if (options.json) printJson(host, found);
    else
      host.stdout.write(
        `${estimateText(
          found,
          epsilons.map(({ text }) => text),
        )}\n`,
      );
    return exitCodes.done;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Verifies inputs as `run` would, in a folder of their own. */
function sampleRunner(
  host: Host,
  options: EstimateCommandOptions,
  { model, dataset, preprocessing, epsilons }: RunInput,
  parent: string,
  signal: AbortSignal,
): RunSample {
  return async (inputs, stage) => {
    const folder = path.join(parent, String(stage));
    const storage = fileStorage(folder);
    const { first: _, ...asked } = options;
    const own = { ...asked, seed: options.seed + stage, acceptLowAccuracy: true };
    const keys = { model: 'models/model.onnx', dataset: 'datasets/sample' };
    const request = requestOf(own, { epsilons }, keys);
    await storage.put(request.model, model);
    await writeRecords(storage, request.dataset, subset(dataset, inputs), preprocessing, 'sample');
    await storage.put(requestKey(localRun), JSON.stringify(request));
    const result = await runInFolder({
      folder,
      worker: host.worker,
      workers: options.workers,
      memoryMb: options.memory,
      progress: createProgress(options.json === true, host.stderr),
      signal,
    });
    if (result.kind === 'failed') throw new BadInputError(`the sample failed (${result.error})`, [...result.problems]);
    if (result.kind === 'interrupted') throw new Error('interrupted: nothing is estimated');
    return readSample(storage, localRun, inputs);
  };
}
