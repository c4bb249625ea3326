import { checkDataSet } from '../dataset/check';
import type { Preprocessing } from '../dataset/dataset';
import { type Epsilon, parseEpsilons } from '../dataset/epsilon';
import { openRecords } from '../dataset/records';
import { BadInputError } from '../errors';
import { createEngine, type Engine } from '../group/engine';
import { decodeForest } from '../group/forest';
import { fingerprintsAt } from '../group/patterns';
import type { Caps } from '../schedule/caps';
import type { RunRequest } from '../schedule/records';
import { ballsProblem } from '../schedule/request-limits';
import type { Storage } from '../storage/storage';
import type { Round } from '../workflow/events';
import { mendAccounts } from './accounts';
import { beginCaps } from './caps';
import { writeFirstPlan } from './first-plan';
import { readInputs } from './inputs';
import { treesKey } from './keys';
import { readModelFile } from './model-file';
import { writeNextRound } from './next-round';
import { beginScan, isScanned, type ScanLimits, scanLimits } from './plan-scan';
import { predict } from './predict';
import { readRecord, readRequest } from './records';
import { lastState } from './state';

/**
 * Plans a run from its request: checks model and data set against each other, predicts every input (what is misclassified is settled),
 * clusters the inputs of each label by activation pattern, and plans the first round. A large data set is only prepared to be looked at in
 * chunks by many calls (`round.scan`, plan-scan.ts).
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
  limits: ScanLimits = scanLimits,
): Promise<Round> {
  const known = await lastState(storage, run);
  if (known) {
    const trees = decodeForest(await storage.get(treesKey(run)));
    const record = await readRecord(storage, run);
    await mendAccounts(storage, record, known);
    await beginCaps(storage, run, caps, now);
    return writeNextRound(storage, record, known, trees, now);
  }
  const request = await readRequest(storage, run);
  await beginCaps(storage, run, caps, now);
  const engine = await createEngine(await readModelFile(storage, request.model), `model ${request.model}`);
  try {
    refuseReplaced(request, engine);
    const records = await openRecords(storage, request.dataset, request.preprocessing);
    const { preprocessing, name } = records.manifest;
    const count = Math.min(request.first ?? records.manifest.count, records.manifest.count);
    const problems = [...radiusProblems(request.epsilons, preprocessing.clip)];
    const tooMany = ballsProblem(count, request.epsilons.length);
    // Before the data set is read, which may be as large as it says.
    if (tooMany !== undefined) throw new BadInputError(`request of run ${run}`, [...problems, tooMany]);
    if (isScanned(records, count, limits))
      return await beginScan(storage, run, { request, engine, records, count, problems }, limits);

    const dataset = await records.load();
    problems.unshift(...checkDataSet(dataset, preprocessing, engine.network));
    if (problems.length > 0) throw new BadInputError(`data set ${name}`, problems);
    const ids = Array.from({ length: count }, (_, i) => i);
    const labels = dataset.labels.slice(0, count);
    const { centre } = await readInputs(records, engine.network, ids);
    const predicted = await predict(engine, centre, { length: count });
    const prints = await fingerprintsAt(engine.bounder.programs, count, centre);
    return await writeFirstPlan(storage, run, { request, engine, records, labels, predicted, prints }, now);
  } finally {
    await engine.release();
  }
}

function refuseReplaced(request: RunRequest, engine: Engine): void {
  if (request.policy === undefined || request.policy.modelHash === engine.hash) return;
  const problem = 'it was replaced since the run was asked for: the new version has a run of its own';
  throw new BadInputError(`model ${request.model}`, [problem]);
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
