import { z } from 'zod';
import { concludeFailure, concludeRun } from '../audit/conclude';
import { confirmRechecked, readReuse } from '../audit/reuse-record';
import { parseNpy } from '../dataset/npy';
import { pixels } from '../dataset/preprocess';
import { openRecords, type Records } from '../dataset/records';
import { BadInputError, messageOf } from '../errors';
import type { EventSink } from '../policy/events';
import { buildReport } from '../report/build';
import type { GalleryItem } from '../report/page/gallery';
import { chooseGallery } from '../report/page/gallery';
import { pixelsOfInput } from '../report/pixels';
import { type BallVerdict, type BatchSummary, batchSummarySchema, type Learned, type Report } from '../report/record';
import { totalCounts } from '../report/totals';
import { writeReport } from '../report/write';
import type { CapsRecord } from '../schedule/caps';
import { learnedSizes } from '../schedule/learned-sizes';
import type { RunRecord, RunRequest } from '../schedule/records';
import { closeOpen, entryAt, type RunState, statusAt } from '../schedule/state';
import { MissingKeyError, type Storage } from '../storage/storage';
import type { ReportOutput } from '../workflow/events';
import { mendAccounts } from './accounts';
import { readCaps } from './caps';
import { costSoFar } from './cost';
import { failureKey, outcomesKey, runPrefix } from './keys';
import { readLines, readRecord, readRequest } from './records';
import { lastState } from './state';

/** Why a run ended early: every problem that is known. */
export const failureRecordSchema = z.strictObject({ error: z.string(), problems: z.array(z.string()) });
export type FailureRecord = z.infer<typeof failureRecordSchema>;

/**
 * Writes the report of a run from what is in storage: the last state, the outcomes of its mini-batches, witnesses. With `failed`, the run
 * ended early: the reason is recorded, and what was settled until then is reported. What a run of a policy has to tell goes to `events`.
 *
 * @param onReport told of the report when it is written
 * @throws ContradictionError where a ball that was verified again has another verdict than the one that was to be reused
 */
export async function reportRun(
  storage: Storage,
  run: string,
  failed: FailureRecord | undefined,
  now: () => number = Date.now,
  events?: EventSink,
  onReport?: (report: Report) => void,
): Promise<ReportOutput> {
  const at = new Date(now()).toISOString();
  if (failed) await storage.put(failureKey(run), `${JSON.stringify(failed, null, 2)}\n`);
  const record = await orUndefined(readRecord(storage, run));
  const request = record?.request ?? (await requestOf(storage, run));
  if (failed) await tellFailure(storage, { id: run, startedAt: record?.startedAt ?? at, request }, failed, at, events);
  if (record === undefined) return { reportKey: failureKey(run), counts: {}, status: 'failed' };
  const { policy } = record.request;
  const reuse = policy && !failed ? await readReuse(storage, run) : undefined;
  const merged = await lastState(storage, run);
  if (merged) await mendAccounts(storage, record, merged);
  const found = merged && reuse ? confirmRechecked(merged, reuse) : merged;
  const records = await openRecords(storage, record.request.dataset, record.preprocessing);
  const capped = stoppedAt(await readCaps(storage, run), found);
  const state = found && capped !== undefined ? closeOpen(found, 'budget') : found;
  const balls = state ? verdicts(record, state, await records.labels()) : [];
  const isComplete = balls.length === record.inputs * record.request.epsilons.length;
  const report = buildReport({
    run: record,
    preprocessing: records.manifest.preprocessing,
    balls,
    batches: await outcomes(storage, run, state?.round ?? 0),
    wallSeconds: Math.max(0, now() - Date.parse(record.startedAt)) / 1000,
    cpuSeconds: state?.cpuSeconds ?? 0,
    rounds: state?.round ?? 0,
    ...(state !== undefined && { cost: costSoFar(record, state), learned: learnedOf(record, state) }),
    status: failed ? 'failed' : isComplete && capped === undefined ? 'done' : 'incomplete',
    problems: [...(failed?.problems ?? []), ...(capped === undefined ? [] : [capped])],
  });
  const gallery = await pictures(storage, records, balls);
  const conclusion =
    policy && !failed && isComplete ? await concludeRun(storage, report, policy, records, reuse, at) : undefined;
  const keys = await writeReport(storage, runPrefix(run), report, gallery, conclusion?.view);
  if (conclusion) await events?.publish(conclusion.events);
  onReport?.(report);
  return { reportKey: keys.json, counts: { ...totalCounts(report) }, status: report.status };
}

function learnedOf({ request }: RunRecord, state: RunState): Learned[] {
  if (request.mode === 'single') return [];
  return learnedSizes(state).map(({ epsilon, sizes, labels }) => {
    return { epsilon: request.epsilons[epsilon].text, sizes: [...sizes], labels: [...labels] };
  });
}

/** What to say where the run has stopped at a cap, and nothing was merged since. */
function stoppedAt(caps: CapsRecord | undefined, state: RunState | undefined): string | undefined {
  const stopped = caps?.stopped;
  return stopped !== undefined && stopped.round === state?.round ? stopped.problem : undefined;
}

/** Records and tells the failure of a run that a policy asked for. */
async function tellFailure(
  storage: Storage,
  { request, ...run }: { id: string; startedAt: string; request: RunRequest | undefined },
  failed: FailureRecord,
  at: string,
  events: EventSink | undefined,
): Promise<void> {
  if (request?.policy === undefined) return;
  await events?.publish(await concludeFailure(storage, { ...run, request }, request.policy, failed, at));
}

/** What was asked; undefined where nothing was, or nothing that can be read, of which the failure tells. */
async function requestOf(storage: Storage, run: string): Promise<RunRequest | undefined> {
  try {
    return await orUndefined(readRequest(storage, run));
  } catch (error) {
    if (error instanceof BadInputError) return undefined;
    throw error;
  }
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/** The verdicts that there are; balls that are still open are left out. */
function verdicts(record: RunRecord, state: RunState, labels: Int32Array): BallVerdict[] {
  const balls: BallVerdict[] = [];
  for (let ball = 0; ball < state.status.length; ball++) {
    const verdict = statusAt(state, ball);
    if (verdict === 'open') continue;
    const index = ball % state.inputs;
    const { status: _, ...entry } = entryAt(state, ball);
    const epsilon = record.request.epsilons[Math.floor(ball / state.inputs)].text;
    balls.push({ index, label: labels[index], epsilon, verdict, ...entry });
  }
  return balls;
}

async function outcomes(storage: Storage, run: string, rounds: number): Promise<BatchSummary[]> {
  const all: BatchSummary[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const line of await readLines(storage, outcomesKey(run, round), batchSummarySchema)) all.push(line);
  }
  return all;
}

async function pictures(storage: Storage, records: Records, balls: readonly BallVerdict[]): Promise<GalleryItem[]> {
  const items: GalleryItem[] = [];
  for (const { index, label, predicted, epsilon, witness } of chooseGallery(balls)) {
    if (witness === undefined || predicted === undefined) continue;
    try {
      const { shape, values } = parseNpy(await storage.get(witness), witness);
      const [raw] = await records.read([index]);
      const { preprocessing } = records.manifest;
      items.push({
        index,
        label,
        predicted,
        epsilon,
        original: pixels(raw, preprocessing, shape),
        counterexample: pixelsOfInput(values, preprocessing, shape),
        shape,
      });
    } catch (error) {
      // A picture is no verdict: the report comes without it.
      console.error(JSON.stringify({ message: 'picture left out', witness, error: messageOf(error) }));
    }
  }
  return items;
}
