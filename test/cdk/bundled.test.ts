import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { z } from 'zod';
import type { FunctionName } from '../../cdk/constructs/access';
import { project } from '../../cdk/project';
import type { DataSet, Preprocessing } from '../../lib/dataset/dataset';
import { writeRecords } from '../../lib/dataset/records';
import { floatTensor } from '../../lib/network/tensor';
import { reportSchema } from '../../lib/report/record';
import type { RunRequest } from '../../lib/schedule/records';
import { getJson } from '../../lib/storage/storage';
import type { RunEvent } from '../../lib/workflow/events';
import { checkMachine } from '../../lib/workflow/interpreter/check';
import { StatesError } from '../../lib/workflow/interpreter/errors';
import { type ExecutionResult, execute } from '../../lib/workflow/interpreter/execute';
import { modelBytes, node } from '../support/models';
import { assetFolder } from './assets';
import { type GuardedS3, startGuardedS3 } from './guarded-s3';
import { prepare, type Synthesis } from './synthesis';

/**
 * The deployment without AWS: the state machine runs the functions from the folders that would be zipped (for the machine
 * of this test), each call in a process that has nothing else of ours, on an S3 that refuses what the
 * policies of the template do not allow.
 */
let synthesis: Synthesis;
let template: Template;
let s3: GuardedS3;

beforeAll(async () => {
  synthesis = prepare({ onnxPlatform: `${process.platform}/${process.arch}` }, true);
  synthesis.app.synth();
  template = Template.fromStack(synthesis.stack);
  s3 = await startGuardedS3(template);
});
afterAll(async () => {
  await s3.close();
  synthesis.remove();
});

const answerSchema = z.union([
  z.strictObject({ result: z.unknown() }),
  z.strictObject({ error: z.object({ errorType: z.string(), errorMessage: z.string(), trace: z.string() }) }),
]);

/** One call of a bundled function, as the state machine sees it. */
async function invoke(name: string, payload: unknown): Promise<unknown> {
  const folder = assetFolder(template, synthesis.folder, name as FunctionName);
  const child = fork(path.join(__dirname, 'invoke.cjs'), [folder], {
    cwd: tmpdir(),
    env: {
      PATH: process.env.PATH,
      BAVERLY_BUCKET: s3.bucket,
      // Says that the AWS SDK of 2027 will need Node.js 22; Lambda has 24.
      NODE_NO_WARNINGS: '1',
      ...s3.environment(name as FunctionName),
    },
    execArgv: ['--enable-source-maps'],
  });
  child.send(payload as object);
  const answer = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code, signal) => reject(new StatesError('Lambda.Unknown', `${name} ended: ${code ?? signal}`)));
  });
  const parsed = answerSchema.parse(answer);
  if ('error' in parsed) throw new StatesError(parsed.error.errorType, JSON.stringify(parsed.error));
  return parsed.result;
}

function runWorkflow(input: RunEvent): Promise<ExecutionResult> {
  const definition = readFileSync(project.definition, 'utf8')
    .replaceAll(/\$\{(\w+)FunctionArn\}/g, (_, name: string) => name.toLowerCase())
    .replaceAll(/\$\{BucketName\}/g, s3.bucket);
  return execute(checkMachine(JSON.parse(definition)), input, {
    name: input.run,
    machineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:baverly-test',
    maxParallel: 2,
    services: {
      invoke,
      storage: () => s3.storage('workflow'),
      startExecution: () =>
        Promise.reject(new StatesError('StepFunctions.StateMachineDoesNotExist', 'not in this test')),
    },
  });
}

const request: RunRequest = {
  version: 1,
  model: 'models/larger-of-two.onnx',
  dataset: 'datasets/pairs',
  epsilons: [
    { text: '0.1', value: 0.1 },
    { text: '0.5', value: 0.5 },
  ],
  mode: 'batch',
  secondsPerBall: 5,
  seed: 1,
  workers: 2,
  acceptLowAccuracy: true,
};

/** A net that says which of two numbers is larger, and four pairs, the last with a wrong label. */
async function upload(): Promise<void> {
  const storage = s3.storage('user');
  const identity = floatTensor('w', [2, 2], Float32Array.of(1, 0, 0, 1));
  const model = modelBytes({
    nodes: [node('MatMul', ['x', 'w'], 'z'), node('Relu', ['z'], 'h'), node('MatMul', ['h', 'w'], 'y')],
    initializers: [identity],
    input: ['batch', 2],
    output: ['batch', 2],
  });
  const dataset: DataSet = {
    count: 4,
    shape: [2],
    values: Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.9),
    labels: Int32Array.of(0, 0, 1, 0),
  };
  const preprocessing: Preprocessing = { layout: 'flat', scale: 1, mean: [0], std: [1], clip: [0, 1] };
  await storage.put(request.model, model);
  await writeRecords(storage, request.dataset, dataset, preprocessing, 'pairs');
  await storage.put('runs/trial/request.json', JSON.stringify(request));
}

test('a whole run succeeds with what was bundled and with what the roles allow', async () => {
  await upload();
  const result = await runWorkflow({ kind: 'run', bucket: s3.bucket, run: 'trial' });
  expect(s3.refused).toEqual([]);
  expect(result).toMatchObject({
    status: 'SUCCEEDED',
    output: { status: 'done', reportKey: 'runs/trial/report.json' },
  });
  const report = reportSchema.parse(await getJson(s3.storage('user'), 'runs/trial/report.json'));
  const verdicts = (epsilon: string) =>
    report.balls.filter((ball) => ball.epsilon === epsilon).map(({ index, verdict }) => [index, verdict]);
  expect(verdicts('0.1')).toEqual([
    [0, 'robust'],
    [1, 'robust'],
    [2, 'robust'],
    [3, 'misclassified'],
  ]);
  expect(verdicts('0.5')).toEqual([
    [0, 'not-robust'],
    [1, 'not-robust'],
    [2, 'not-robust'],
    [3, 'misclassified'],
  ]);
});
