import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { gunzipped } from '../dataset/gunzip';
import { openRecords } from '../dataset/records';
import { BadInputError } from '../errors';
import { modelHash } from '../network/hash';
import { failureKey, recordKey, requestKey } from '../pipeline/keys';
import { readRecord, readRequest } from '../pipeline/records';
import { techniquesFromEnvironment } from '../pipeline/techniques';
import { Problems } from '../problems';
import { fileStorage } from '../storage/files';
import { executeRun } from './execute-run';
import type { ExitCode } from './exit';
import { readUserFile } from './files';
import type { Host } from './host';
import { interruptible } from './interrupt';
import { localRun } from './local-run';
import { capsFrom, defaultWorkers, positiveInteger, positiveNumber, share } from './options';
import { addVerbose, runHappenings, type VerboseOptions } from './verbose';

interface ResumeOptions extends VerboseOptions {
  readonly model?: string;
  readonly workers: number;
  readonly memory: number;
  readonly failBelow?: number;
  readonly json?: boolean;
  readonly maxUsd?: number;
  readonly maxMinutes?: number;
}

export function addResume(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('resume')
    .description('Finish a run that was interrupted')
    .argument('<folder>', 'the --out folder of the run')
    .option('--model <file>', 'refuse unless the run is about this model')
    .option(
      '--max-usd <usd>',
      'another cap than that of the run: all that it may cost, what it has cost included',
      positiveNumber,
    )
    .option('--max-minutes <minutes>', 'another cap than that of the run, from now on', positiveNumber)
    .option('--workers <n>', 'processes', positiveInteger, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option('--fail-below <share>', 'exit code 1 if the certified accuracy at any radius is below', share)
    .option('--json', 'print the summary as JSON, no progress');
  addVerbose(command, runHappenings).action(async (folder: string, options: ResumeOptions) => {
    const absolute = path.resolve(folder);
    // What the processes of the run will read: wrong words are told here, not by each of them.
    techniquesFromEnvironment();
    await checkFolder(absolute, options.model);
    // What failed before is tried again.
    rmSync(path.join(absolute, failureKey(localRun)), { force: true });
    const caps = capsFrom(options);
    done(await interruptible((signal) => executeRun(host, { ...options, folder: absolute, caps, signal })));
  });
}

/** The folder must hold a run, and the model and data set that it was planned with. */
async function checkFolder(folder: string, model: string | undefined): Promise<void> {
  const subject = `run folder ${folder}`;
  if (!existsSync(path.join(folder, requestKey(localRun)))) {
    throw new BadInputError(subject, ['holds no run: give the --out folder of `npx baverly run`']);
  }
  const storage = fileStorage(folder);
  const request = await readRequest(storage, localRun);
  const problems = new Problems();
  const hashOf = (file: string, what: string): string | undefined =>
    problems.of(() => modelHash(gunzipped(readUserFile(file, what).bytes, file)));
  const stored = hashOf(path.join(folder, request.model), 'model of the run');
  if (existsSync(path.join(folder, recordKey(localRun)))) {
    const record = await readRecord(storage, localRun);
    if (stored !== undefined && record.modelHash !== stored) {
      problems.add(`${request.model} in it is not the model that the run was planned with: start a new run`);
    }
    const { manifest } = await openRecords(storage, request.dataset);
    if (record.datasetHash !== manifest.sha256) {
      problems.add(`${request.dataset} in it is not the data set that the run was planned with: start a new run`);
    }
  }
  const given = model === undefined ? stored : hashOf(model, 'model');
  if (stored !== undefined && given !== undefined && given !== stored) {
    problems.add(
      `the run is about another model (${request.model}) than ${model}: leave --model out, or start a new run`,
    );
  }
  problems.check(subject);
}
