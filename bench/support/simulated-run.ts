import type { DataSet, Preprocessing } from '../../lib/dataset/dataset';
import { writeNpy } from '../../lib/dataset/npy';
import { writeRecords } from '../../lib/dataset/records';
import { loadModel } from '../../lib/network/original';
import { encodeModel } from '../../lib/network/protobuf';
import { floatTensor, tensorInfo } from '../../lib/network/tensor';
import { requestKey, resultKey, witnessKey } from '../../lib/pipeline/keys';
import { predict } from '../../lib/pipeline/predict';
import { random } from '../../lib/random';
import { unpackIds } from '../../lib/schedule/packed';
import {
  type BallResult,
  type BatchResult,
  type MiniBatch,
  miniBatchSchema,
  type RunRequest,
} from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import type { Law } from './law';

const pixelCount = 16;
const hidden = 256;
const classes = 10;

/** A random classifier of few pixels and many ReLUs, whose activation patterns are clustered like those of a large one. */
function classifier(): Uint8Array {
  const rng = random(7);
  const weights = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, () => rng.normal() / Math.sqrt(rows));
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'simulated',
      node: [
        { opType: 'MatMul', input: ['x', 'w'], output: ['a'] },
        { opType: 'Add', input: ['a', 'b'], output: ['c'] },
        { opType: 'Relu', input: ['c'], output: ['d'] },
        { opType: 'MatMul', input: ['d', 'v'], output: ['y'] },
      ],
      initializer: [
        floatTensor('w', [pixelCount, hidden], weights(pixelCount, hidden)),
        floatTensor('b', [hidden], weights(1, hidden)),
        floatTensor('v', [hidden, classes], weights(hidden, classes)),
      ],
      input: [tensorInfo('x', ['n', pixelCount])],
      output: [tensorInfo('y', ['n', classes])],
    },
  });
}

const preprocessing: Preprocessing = { layout: 'flat', scale: 1 / 255, mean: [0.5], std: [0.25], clip: [0, 1] };

/** Puts model, data set and request where the functions find them: `count` inputs, each fortieth labelled wrongly. */
export async function writeSimulated(storage: Storage, run: string, count: number): Promise<void> {
  const model = classifier();
  const rng = random(count, 3);
  const values = Uint8Array.from({ length: count * pixelCount }, () => rng.int(256));
  const { original } = await loadModel(model, 'the simulated model');
  const point = (i: number): Float32Array =>
    Float32Array.from(values.subarray(i * pixelCount, (i + 1) * pixelCount), (value) => (value / 255 - 0.5) / 0.25);
  const predicted = await predict({ original }, point, { length: count });
  await original.release();
  const labels = Int32Array.from(predicted, (k, i) => (i % 40 === 0 ? (k + 1) % classes : k));
  const dataset: DataSet = { count, shape: [pixelCount], values, labels };
  const request: RunRequest = {
    version: 1,
    model: 'models/simulated.onnx',
    dataset: 'datasets/simulated',
    epsilons: [{ text: '0.02', value: 0.02 }],
    mode: 'batch',
    secondsPerBall: 20,
    seed: 0,
    workers: 1000,
    acceptLowAccuracy: false,
  };
  await storage.put(request.model, model);
  await writeRecords(storage, request.dataset, dataset, preprocessing, 'simulated');
  await storage.put(requestKey(run), JSON.stringify(request));
}

/**
 * Verify without an engine: each ball behaves as one of the law's, drawn by its number. Writes what verify writes: a result for each mini-batch,
 * a witness for each ball that is not robust.
 */
export async function simulatedVerify(storage: Storage, law: Law, event: unknown): Promise<BatchResult> {
  const batch = miniBatchSchema.parse(event);
  const ids = unpackIds(batch.inputs);
  let cpuSeconds = law.perCall;
  const balls: BallResult[] = [];
  for (const input of ids) {
    const ball = replay(law, batch, input);
    cpuSeconds += ball.cpuSeconds;
    if (ball.verdict === 'not-robust')
      await storage.put(ball.witness, writeNpy({ shape: [pixelCount], values: new Float32Array(pixelCount) }));
    balls.push(ball);
  }
  const { id, round } = batch;
  const result: BatchResult = { id, round, cpuSeconds, wallSeconds: cpuSeconds, peakMemoryBytes: 0, balls };
  await storage.putIfAbsent(resultKey(batch.run, batch.round, batch.id), JSON.stringify(result));
  return result;
}

function replay(law: Law, batch: MiniBatch, input: number): BallResult {
  const drawn = random(input, 41).int(law.proven + law.stories.length);
  const story = drawn < law.proven ? undefined : law.stories[drawn - law.proven];
  const isFirst = batch.attempt === 1;
  const [verdict, seconds] = story?.[Math.min(batch.attempt, story.length) - 1] ?? (['robust', 0] as const);
  const cpuSeconds = isFirst ? law.perBall + (story === undefined ? 0 : law.perDoubtful) : seconds;
  if (verdict === 'robust') return { input, verdict, settledBy: isFirst ? 'bound' : 'search', margin: 0.5, cpuSeconds };
  if (verdict === 'open')
    return { input, verdict, reason: isFirst ? 'search not run' : 'time', margin: -0.5, cpuSeconds };
  const witness = witnessKey(batch.run, batch.round, batch.epsilon, input);
  return { input, verdict, settledBy: 'attack', predicted: 0, witness, cpuSeconds };
}
