import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { BadInputError } from '../errors';
import { modelHash } from '../network/hash';
import { recordKey, requestKey } from '../pipeline/keys';
import { readRecord, readRequest } from '../pipeline/records';
import { fileStorage } from '../storage/files';
import { conclude, executeRun } from './execute-run';
import type { ExitCode } from './exit';
import { readUserFile } from './files';
import { localRun } from './local-run';
import { defaultWorkers, positiveInteger, share } from './options';

interface ResumeOptions {
  readonly model?: string;
  readonly workers: number;
  readonly memory: number;
  readonly failBelow?: number;
  readonly json?: boolean;
}

export function addResume(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('resume')
    .description('Finish a run that was interrupted')
    .argument('<folder>', 'the --out folder of the run')
    .option('--model <file>', 'refuse unless the run is about this model')
    .option('--workers <n>', 'processes', positiveInteger, defaultWorkers())
    .option('--memory <mb>', 'memory cap of each process', positiveInteger, 1769)
    .option('--fail-below <share>', 'exit code 1 if the certified accuracy at any radius is below', share)
    .option('--json', 'print the summary as JSON, no progress')
    .action(async (folder: string, options: ResumeOptions) => done(await resume(path.resolve(folder), options)));
}

async function resume(folder: string, options: ResumeOptions): Promise<ExitCode> {
  await checkFolder(folder, options.model);
  const result = await executeRun({ ...options, folder });
  return conclude(result, { ...options, folder });
}

/** The folder must hold a run, and of the model it was planned with. */
async function checkFolder(folder: string, model: string | undefined): Promise<void> {
  const subject = `run folder ${folder}`;
  if (!existsSync(path.join(folder, requestKey(localRun)))) {
    throw new BadInputError(subject, ['holds no run: give the --out folder of `npx baverly run`']);
  }
  const storage = fileStorage(folder);
  const request = await readRequest(storage, localRun);
  const stored = modelHash(readUserFile(path.join(folder, request.model), 'model of the run').bytes);
  const problems: string[] = [];
  if (existsSync(path.join(folder, recordKey(localRun)))) {
    const record = await readRecord(storage, localRun);
    if (record.modelHash !== stored) {
      problems.push(`${request.model} in it is not the model that the run was planned with: start a new run`);
    }
  }
  if (model !== undefined && modelHash(readUserFile(model, 'model').bytes) !== stored) {
    problems.push(`is the run of another model (${request.model}) than ${model}`);
  }
  if (problems.length > 0) throw new BadInputError(subject, problems);
}
