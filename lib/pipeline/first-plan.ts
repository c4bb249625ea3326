import { version as ortVersion } from 'onnxruntime-node/package.json';
import { version } from '../../package.json';
import { reuseVerdicts } from '../audit/reuse';
import { cleanAccuracyProblem } from '../audit/thresholds';
import { judgeAccuracy } from '../dataset/accuracy';
import type { Records } from '../dataset/records';
import { BadInputError } from '../errors';
import type { Engine } from '../group/engine';
import type { Fingerprints } from '../group/fingerprint';
import { buildForest, encodeForest } from '../group/forest';
import { asPrior, emptyPosterior, type Posterior, posteriorSchema } from '../schedule/bandit';
import { type RunRecord, type RunRequest, runRecordSchema } from '../schedule/records';
import { createState } from '../schedule/state';
import { MissingKeyError, type Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { writeFirstAccounts } from './accounts';
import { learnedKey, recordKey, treesKey } from './keys';
import { writeNextRound } from './next-round';
import { readJson } from './records';
import { commitState } from './state';

/** A data set that was looked at through the model: what every input is predicted as, and how it activates the network. */
export interface LookedAt {
  readonly request: RunRequest;
  readonly engine: Pick<Engine, 'original' | 'network' | 'hash'>;
  readonly records: Records;
  /** [inputs of the run] */
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  readonly prints: Fingerprints;
}

/**
 * Writes what the run is (`run.json`), its cluster trees and first state, and plans the first round.
 *
 * @throws BadInputError when the model hardly beats guessing, or is less accurate than its policy asks
 */
export async function writeFirstPlan(storage: Storage, run: string, at: LookedAt, now: () => number): Promise<Round> {
  const { request, engine, records, labels, predicted, prints } = at;
  const { name, sha256, preprocessing } = records.manifest;
  const count = labels.length;
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

  const trees = buildForest(prints, labels, request.seed, (i) => misclassified[i] === 1);
  await storage.put(treesKey(run), encodeForest(trees));
  const unsettled = createState({
    inputs: count,
    epsilons: request.epsilons.map(({ value }) => value),
    misclassified,
    predicted,
    bandit: await learned(storage, engine.hash),
  });
  const found = await reuseVerdicts(storage, kept, unsettled, engine);
  const state = await commitState(storage, run, found);
  await writeFirstAccounts(storage, run, state);
  return writeNextRound(storage, kept, state, trees, now);
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
