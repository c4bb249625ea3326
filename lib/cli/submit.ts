import path from 'node:path';
import type { Command } from 'commander';
import type { Deployment, TargetOptions } from '../client/connect';
import { runIdOf, type Submitted, submitRun } from '../client/submit';
import { type Uploaded, uploadDataSet, uploadModel } from '../client/upload';
import type { Narrate } from '../observe/narrate';
import { Problems } from '../problems';
import { type ExitCode, exitCodes, printJson } from './exit';
import type { Host } from './host';
import { workerCount } from './options';
import { addTargetOptions, checkNewRunId, remotely, targetArguments } from './remote';
import { modelName, type RunInput, readRunInput } from './run-input';
import { addCapOptions, addRequestOptions, type RequestOptions, requestOf } from './run-options';
import { addVerbose, narrator, type VerboseOptions } from './verbose';

interface SubmitOptions extends RequestOptions, TargetOptions, VerboseOptions {
  readonly id?: string;
  readonly json?: boolean;
}

export function addSubmit(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = addTargetOptions(
    addCapOptions(
      addRequestOptions(program.command('submit').description('Start a run on AWS, or at `npx baverly serve`')),
    )
      .option('--workers <n>', 'mini-batches verified at the same time', workerCount, 100)
      .option('--id <name>', 'id of the run; by default the model and a digest of all that is asked'),
  ).option('--json', 'print the result as JSON');
  addVerbose(command, 'what is uploaded, or was there already, and what becomes of the request').action(
    async (options: SubmitOptions) => done(await submit(host, options)),
  );
}

async function submit(host: Host, options: SubmitOptions): Promise<ExitCode> {
  const problems = new Problems();
  if (options.id !== undefined) problems.of(() => checkNewRunId(options.id!));
  const input = readRunInput(options, problems);
  problems.check('the run cannot start');
  const { submitted, uploaded } = await remotely(options, (deployment) =>
    send(deployment, options, input!, narrator(host, options)),
  );
  const code = submitted.kind === 'ended' && submitted.status !== 'SUCCEEDED' ? exitCodes.incomplete : exitCodes.done;
  if (options.json) printJson(host, { ...submitted, uploaded, exitCode: code });
  else {
    host.stdout.write(`${submitted.run}\n`);
    const sent = uploaded.length === 0 ? 'model and data set were there already' : `uploaded: ${uploaded.join(', ')}`;
    host.stderr.write(`${sent}\n${told(submitted, targetArguments(options))}\n`);
  }
  return code;
}

async function send(deployment: Deployment, options: SubmitOptions, input: RunInput, narrate: Narrate | undefined) {
  const { storage } = deployment;
  const put = ({ key, uploaded }: Uploaded): void => narrate?.(`${key}: ${uploaded ? 'uploaded' : 'was there'}`);
  narrate?.(`storage ${storage.location}`);
  const model = await uploadModel(storage, input.model);
  put(model);
  const dataset = await uploadDataSet(storage, input.dataset, input.preprocessing, path.basename(options.data!));
  put(dataset);
  const request = requestOf(options, input, { model: model.key, dataset: dataset.key });
  const { epsilons, mode, secondsPerBall, workers } = request;
  const radii = epsilons.map(({ text }) => text).join(', ');
  narrate?.(`asked: mode ${mode}, radii ${radii}, ${secondsPerBall} s a ball, ${workers} at the same time`);
  const submitted = await submitRun(deployment, options.id ?? runIdOf(modelName(options.model!), request), request);
  narrate?.(`run ${submitted.run}: ${submitted.kind}`);
  return { submitted, uploaded: [model, dataset].filter(({ uploaded }) => uploaded).map(({ key }) => key) };
}

function told(submitted: Submitted, target: string): string {
  const command = (name: string): string => `npx baverly ${name} ${submitted.run}${target}`;
  switch (submitted.kind) {
    case 'started':
      return `The run starts. Follow it with: ${command('watch')}`;
    case 'running':
      return `The same run is under way. Follow it with: ${command('watch')}`;
    case 'resumed':
      return `The run had stopped and goes on. Follow it with: ${command('watch')}`;
    case 'ended':
      if (submitted.capped) {
        return `The same run stopped at its cap: submit it with a larger one to go on, or get its report with: ${command('fetch')}`;
      }
      return submitted.status === 'SUCCEEDED'
        ? `The same run has been done. Get its report with: ${command('fetch')}; run it again with another --id`
        : `The same run ended as ${submitted.status}: ${command('watch')} says why; run it again with another --id`;
  }
}
