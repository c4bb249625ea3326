import type { Records } from '../dataset/records';
import { differenceKey } from '../pipeline/keys';
import { type PolicyEvent, policyEvent } from '../policy/events';
import type { RunPolicy } from '../policy/schema';
import type { AuditView } from '../report/page/audit';
import type { BallVerdict, Report } from '../report/record';
import type { RunRequest } from '../schedule/records';
import { MissingKeyError, type Storage } from '../storage/storage';
import { RunsContradictError } from './contradictions';
import { differenceOf, type RunDifference } from './difference';
import { type HistoryEntry, readHistory, writeHistory } from './history';
import { readItemKeys } from './item-keys';
import { isReused, type ReuseRecord } from './reuse-record';
import { type RunView, readRunView, viewOf, writeItemKeys } from './run-view';
import { crossings, thresholdStates } from './thresholds';
import { type ItemVerdicts, type Proven, writeVerdicts } from './verdict-store';

/** What a finished run of a policy adds to its report, and what is to be told. */
export interface Conclusion {
  readonly view: AuditView;
  readonly events: readonly PolicyEvent[];
}

/**
 * Concludes a run of a policy that is done: stores what it found out for later runs, compares it with the last one of the policy on
 * the model (of whichever version), and looks at the thresholds. Doing it again writes the same again.
 *
 * @throws RunsContradictError where the two runs cannot both be right; nothing is stored for later runs then
 */
export async function concludeRun(
  storage: Storage,
  report: Report,
  policy: RunPolicy,
  records: Records,
  reuse: ReuseRecord | undefined,
  at: string,
): Promise<Conclusion> {
  const { run } = report;
  const { model } = run.request;
  const keys = await readItemKeys(records, run.inputs, run.datasetHash);
  await writeItemKeys(storage, run.id, keys);
  const history = (await readHistory(storage, policy.name, model)).filter(isBefore(run.startedAt, run.id));
  const last = history.findLast(({ status }) => status === 'done');
  const difference = last && (await differenceTo(storage, last, viewOf(report, keys)));
  if (difference) await storage.put(differenceKey(run.id), `${JSON.stringify(difference)}\n`);
  if (difference && difference.contradictions.length > 0) {
    throw new RunsContradictError(difference.before.run, run.id, difference.contradictions);
  }
  const items = newVerdicts(report, keys);
  if (items.length > 0) await writeVerdicts(storage, { run: run.id, modelHash: run.modelHash }, items);

  const thresholds = thresholdStates(report, policy.thresholds, difference);
  const rechecked = reuse?.balls.filter(({ recheck }) => recheck).length ?? 0;
  const reused = (reuse?.balls.length ?? 0) - rechecked;
  const entry: HistoryEntry = {
    ...entryOf(run.id, run.request, policy, run.startedAt),
    status: 'done',
    cleanAccuracy: run.cleanAccuracy,
    radii: report.radii.map(({ epsilon, value, certifiedAccuracy }) => ({ epsilon, value, certifiedAccuracy })),
    reused,
    rechecked,
    thresholds,
  };
  await writeHistory(storage, entry);
  const events = [...crossings(report, policy, thresholds, last?.thresholds ?? [], at)];
  events.push(finished(report, policy, difference, at));
  const ignored = reuse?.ignored ?? [];
  return {
    view: { policy: policy.name, history: [...history, entry], difference, thresholds, reused, rechecked, ignored },
    events,
  };
}

/** Concludes a run of a policy that failed, maybe before it was planned: its entry in the history, and an event. */
export async function concludeFailure(
  storage: Storage,
  run: { readonly id: string; readonly request: RunRequest; readonly startedAt: string },
  policy: RunPolicy,
  failed: { readonly error: string; readonly problems: readonly string[] },
  at: string,
): Promise<PolicyEvent[]> {
  const { id, request } = run;
  const problems = failed.problems.length > 0 ? failed.problems : [failed.error];
  const entry = entryOf(id, request, policy, run.startedAt);
  await writeHistory(storage, { ...entry, status: 'failed', problems: [...problems] });
  const contradicts = ['ContradictionError', 'RunsContradictError'].includes(failed.error);
  return [
    policyEvent([id], {
      type: contradicts ? 'Verdicts Contradict' : 'Run Failed',
      at,
      message: `${request.model}, policy ${policy.name}: run ${id} failed (${failed.error}): ${problems.join('; ')}`,
      notify: policy.notify,
      policy: policy.name,
      model: request.model,
      run: id,
      problems,
    }),
  ];
}

function entryOf(run: string, { model }: RunRequest, policy: RunPolicy, startedAt: string) {
  const { name, version, occasion, modelHash } = policy;
  return {
    version: 1 as const,
    ...{ policy: name, policyVersion: version, occasion, model, modelHash, run, startedAt },
    ...{ problems: [] as string[], radii: [] as HistoryEntry['radii'], reused: 0, rechecked: 0, thresholds: [] },
  };
}

const isBefore =
  (startedAt: string, run: string) =>
  (entry: HistoryEntry): boolean =>
    entry.run !== run && entry.startedAt <= startedAt;

/** The difference to an earlier run; undefined where its report is gone. */
async function differenceTo(storage: Storage, last: HistoryEntry, now: RunView): Promise<RunDifference | undefined> {
  try {
    return differenceOf(await readRunView(storage, last.run), now);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/** What the run found out itself, by item. */
function newVerdicts({ run, balls }: Report, keys: readonly string[]): ItemVerdicts[] {
  const values = new Map(run.request.epsilons.map(({ text, value }) => [text, value]));
  const items = new Map<string, Proven[]>();
  for (const ball of balls) {
    const proven = isReused(ball.settledBy) ? undefined : provenOf(ball, values.get(ball.epsilon) as number);
    if (proven === undefined) continue;
    const known = items.get(keys[ball.index]);
    if (known) known.push(proven);
    else items.set(keys[ball.index], [proven]);
  }
  return [...items].map(([item, found]) => ({ item, balls: found }));
}

function provenOf({ verdict, settledBy = '', margin, predicted, witness }: BallVerdict, epsilon: number) {
  if (verdict === 'robust' && margin !== undefined && margin > 0) return { verdict, epsilon, settledBy, margin };
  if (verdict === 'not-robust' && predicted !== undefined && witness !== undefined) {
    return { verdict, epsilon, settledBy, predicted, witness };
  }
  return undefined;
}

function finished({ run }: Report, policy: RunPolicy, difference: RunDifference | undefined, at: string): PolicyEvent {
  const sum = (name: 'newlyProven' | 'newlyBroken' | 'lost'): number =>
    difference?.radii.reduce((total, radius) => total + radius[name], 0) ?? 0;
  const changes = `newly proven ${sum('newlyProven')}, newly broken ${sum('newlyBroken')}, lost ${sum('lost')}`;
  const { model } = run.request;
  return policyEvent([run.id], {
    type: 'Run Finished',
    at,
    message: `${model}, policy ${policy.name}: run ${run.id} is done; ${difference ? changes : 'it is the first one'}`,
    notify: policy.notify,
    ...{ policy: policy.name, model, run: run.id },
  });
}
