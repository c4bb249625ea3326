import { version as ortVersion } from 'onnxruntime-node/package.json';
import { version } from '../../package.json';
import { reuseVerdicts } from '../audit/reuse';
import { cleanAccuracyProblem } from '../audit/thresholds';
import { judgeAccuracy } from '../dataset/accuracy';
import { checkDataSet } from '../dataset/check';
import type { Preprocessing } from '../dataset/dataset';
import { type Epsilon, parseEpsilons } from '../dataset/epsilon';
import { openRecords } from '../dataset/records';
import { BadInputError } from '../errors';
import { createEngine, type Engine } from '../group/engine';
import { buildForest, decodeForest, encodeForest } from '../group/forest';
import { fingerprintsAt } from '../group/patterns';
import { predictedClass } from '../group/verify';
import { asPrior, emptyPosterior, type Posterior, posteriorSchema } from '../schedule/bandit';
import type { Caps } from '../schedule/caps';
import { type RunRecord, runRecordSchema } from '../schedule/records';
import { createState } from '../schedule/state';
import { MissingKeyError, type Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { beginCaps } from './caps';
import { type ModelInputs, readInputs } from './inputs';
import { learnedKey, ledgerKey, recordKey, treesKey } from './keys';
import { ledgerLines } from './ledger';
import { writeNextRound } from './next-round';
import { readJson, readRecord, readRequest, toLines } from './records';
import { lastState } from './state';

/**
 * Plans a run from its request: checks model and data set against each other, predicts every input (what is misclassified is settled),
 * clusters the inputs of each label by activation pattern, and plans the first round.
 *
 * A run that was planned before (it was interrupted, or the state is retried) goes on with the round after the last one merged; mini-batches
 * of it that have results already are not verified again.
 *
 * @throws BadInputError with everything that is wrong with model, data set or their fit
 */
export async function planRun(
  storage: Storage,
  run: string,
  now: () => number = Date.now,
  caps: Caps = {},
): Promise<Round> {
  const known = await lastState(storage, run);
  if (known) {
    const trees = decodeForest(await storage.get(treesKey(run)));
    await beginCaps(storage, run, caps, now);
    return writeNextRound(storage, await readRecord(storage, run), known, trees, now);
  }
  const request = await readRequest(storage, run);
  await beginCaps(storage, run, caps, now);
  const engine = await createEngine(await storage.get(request.model), `model ${request.model}`);
  try {
    if (request.policy !== undefined && request.policy.modelHash !== engine.hash) {
      const problem = 'it was replaced since the run was asked for: the new version has a run of its own';
      throw new BadInputError(`model ${request.model}`, [problem]);
    }
    const records = await openRecords(storage, request.dataset, request.preprocessing);
    const { preprocessing, name, sha256 } = records.manifest;
    const dataset = await records.load();
    const problems = [
      ...checkDataSet(dataset, preprocessing, engine.network),
      ...radiusProblems(request.epsilons, preprocessing.clip),
    ];
    if (problems.length > 0) throw new BadInputError(`data set ${name}`, problems);

    const count = Math.min(request.first ?? dataset.count, dataset.count);
    const ids = Array.from({ length: count }, (_, i) => i);
    const labels = dataset.labels.subarray(0, count);
    const inputs = await readInputs(records, engine.network, ids);
    const predicted = await predict(engine, inputs, count);
    const misclassified = Uint8Array.from(predicted, (k, i) => (k === labels[i] ? 0 : 1));
    const correct = misclassified.reduce((sum, wrong) => sum + 1 - wrong, 0);
    const accuracy = judgeAccuracy(correct, count, engine.network.classes);
    if (accuracy.kind === 'near chance' && !request.acceptLowAccuracy) {
      const advice = 'if that is how it should be, go on with --accept-low-accuracy (acceptLowAccuracy in a policy)';
      throw new BadInputError(`data set ${name}`, [`${accuracy.message}; ${advice}`]);
    }
    const tooLow = cleanAccuracyProblem(request.policy, accuracy.accuracy);
    if (tooLow !== undefined) throw new BadInputError(`data set ${name}`, [tooLow]);

    const record: RunRecord = {
      version: 1,
      id: run,
      request,
      modelHash: engine.hash,
      datasetHash: sha256,
      datasetName: name,
      preprocessing,
      inputs: count,
      classes: engine.network.classes,
      cleanAccuracy: accuracy.accuracy,
      versions: { baverly: version, 'onnxruntime-node': ortVersion, node: process.version },
      startedAt: new Date(now()).toISOString(),
    };
    const first = await storage.putIfAbsent(recordKey(run), `${JSON.stringify(record, null, 2)}\n`);
    const kept = first ? record : await readJson(storage, recordKey(run), runRecordSchema);

    const prints = await fingerprintsAt(engine.bounder.programs, count, (i) => inputs.centre(i));
    const trees = buildForest(prints, labels, request.seed, (i) => misclassified[i] === 1);
    await storage.put(treesKey(run), encodeForest(trees));
    const unsettled = createState({
      inputs: count,
      epsilons: request.epsilons.map(({ value }) => value),
      misclassified,
      predicted,
      bandit: await learned(storage, engine.hash),
    });
    const state = await reuseVerdicts(storage, kept, unsettled, records, engine);
    await storage.put(ledgerKey(run, 'plan'), toLines(ledgerLines(undefined, state)));
    return await writeNextRound(storage, kept, state, trees, now);
  } finally {
    await engine.release();
  }
}

/** What is wrong with the radii of a request, which anyone may have written. */
function radiusProblems(epsilons: readonly Epsilon[], clip: Preprocessing['clip']): readonly string[] {
  try {
    const read = parseEpsilons(epsilons.map(({ text }) => text).join(','), clip);
    const wrong = epsilons.filter(({ value }, i) => value !== read[i]?.value);
    return wrong.map(({ text, value }) => `radius ${text} of the request has the value ${value}`);
  } catch (error) {
    if (error instanceof BadInputError) return error.problems;
    throw error;
  }
}

const inputsPerCall = 256;

async function predict({ original }: Engine, inputs: ModelInputs, count: number): Promise<Int32Array> {
  const predicted = new Int32Array(count);
  const { inputSize, classes } = original;
  for (let start = 0; start < count; start += inputsPerCall) {
    const n = Math.min(inputsPerCall, count - start);
    const points = new Float32Array(n * inputSize);
    for (let i = 0; i < n; i++) points.set(inputs.centre(start + i), i * inputSize);
    const scores = await original.scores(points, n);
    for (let i = 0; i < n; i++) predicted[start + i] = predictedClass(scores.subarray(i * classes, (i + 1) * classes));
  }
  return predicted;
}

/** What earlier runs learned about sizes on this model. */
async function learned(storage: Storage, modelHash: string): Promise<Posterior> {
  try {
    return asPrior(await readJson(storage, learnedKey(modelHash), posteriorSchema));
  } catch (error) {
    // Of another version, or never written: sizes are learned anew, which costs time only.
    if (error instanceof MissingKeyError || error instanceof BadInputError) return emptyPosterior;
    throw error;
  }
}
