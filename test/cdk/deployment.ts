import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import type { FunctionName } from '../../cdk/constructs/access';
import { project } from '../../cdk/project';
import { checkMachine } from '../../lib/workflow/interpreter/check';
import { StatesError } from '../../lib/workflow/interpreter/errors';
import { type ExecutionResult, execute } from '../../lib/workflow/interpreter/execute';
import type { Line } from '../observe/lambda';
import { assetFolder } from './assets';
import { type GuardedS3, startGuardedS3 } from './guarded-s3';
import { type Started, startLoopbackAws } from './loopback-aws';
import { type LoopbackXRay, startLoopbackXRay } from './loopback-xray';
import { prepare } from './synthesis';

/**
 * The deployment without AWS: the state machine runs the functions from the folders that would be zipped (for the machine
 * of this test), each call in a process that has nothing else of ours, on an S3 that refuses what the
 * policies of the template do not allow.
 */
export interface Deployment {
  readonly template: Template;
  readonly s3: GuardedS3;
  /** Executions that the functions have started; they wait for somebody to run them. */
  readonly started: readonly Started[];
  /** Events that the functions have published: their type and detail. */
  readonly published: readonly { readonly type: string; readonly detail: unknown }[];
  /** What the functions have logged. */
  readonly lines: readonly Line[];
  readonly xray: LoopbackXRay;
  /** One call of a function. */
  invoke(name: FunctionName, payload: unknown): Promise<unknown>;
  run(name: string, input: unknown): Promise<ExecutionResult>;
  remove(): Promise<void>;
}

export async function deploy(): Promise<Deployment> {
  const synthesis = prepare({ onnxPlatform: `${process.platform}/${process.arch}` }, true);
  synthesis.app.synth();
  const template = Template.fromStack(synthesis.stack);
  const s3 = await startGuardedS3(template);
  const aws = await startLoopbackAws();
  const xray = await startLoopbackXRay();
  const lines: Line[] = [];
  const definition = readFileSync(project.definition, 'utf8')
    .replaceAll(/\$\{(\w+)FunctionArn\}/g, (_, name: string) => name.toLowerCase())
    .replaceAll(/\$\{BucketName\}/g, s3.bucket);
  const machine = checkMachine(JSON.parse(definition));
  const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:baverly-test';

  const invoke = (name: string, payload: unknown) => {
    const called = name as FunctionName;
    const environment = {
      AWS_LAMBDA_FUNCTION_NAME: called,
      POWERTOOLS_SERVICE_NAME: 'Baverly',
      ...xray.environment,
      BAVERLY_BUCKET: s3.bucket,
      BAVERLY_STATE_MACHINE: machineArn,
      BAVERLY_EVENT_BUS: 'events',
      ...aws.environment,
      ...s3.environment(called),
    };
    return call(assetFolder(template, synthesis.folder, called), payload, environment, (line) => lines.push(line));
  };
  return {
    template,
    s3,
    lines,
    xray,
    started: aws.started,
    published: aws.published,
    invoke,
    run: (name, input) =>
      execute(machine, input, {
        name,
        machineArn,
        maxParallel: 2,
        services: {
          invoke,
          storage: () => s3.storage('workflow'),
          startExecution: async (name) => {
            throw new StatesError('States.TaskFailed', `the workflow started ${name}`);
          },
        },
      }),
    async remove() {
      await s3.close();
      await aws.close();
      await xray.close();
      synthesis.remove();
    },
  };
}

const answerSchema = z.union([
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ error: z.looseObject({ errorType: z.string(), errorMessage: z.string() }) }),
]);

/** One call of the function in a folder; fails as a Lambda does. */
async function call(
  folder: string,
  payload: unknown,
  environment: Record<string, string>,
  onLine: (line: Line) => void,
): Promise<unknown> {
  const child = fork(path.join(__dirname, 'invoke.cjs'), [folder], {
    cwd: tmpdir(),
    // Warnings: that the AWS SDK of 2027 will need Node.js 22. Lambda has 24.
    env: { PATH: process.env.PATH, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...environment },
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  let logged = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      logged += text;
    });
  }
  child.send(payload as object);
  const answer = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code, signal) => reject(new StatesError('Lambda.Unknown', `ended by ${code ?? signal}`)));
  });
  await closed;
  for (const line of logged.split('\n')) if (line !== '') onLine(JSON.parse(line) as Line);
  const parsed = answerSchema.parse(answer);
  if ('error' in parsed) throw new StatesError(parsed.error.errorType, JSON.stringify(parsed.error));
  return parsed.result;
}
