import { readHistory } from '../../lib/audit/history';
import { modelHash } from '../../lib/network/hash';
import { recordKey } from '../../lib/pipeline/keys';
import { readRecord } from '../../lib/pipeline/records';
import { reportRun } from '../../lib/pipeline/report';
import type { PolicyEvent } from '../../lib/policy/events';
import type { RunPolicy } from '../../lib/policy/schema';
import { readReport } from '../../lib/report/json';
import type { Report } from '../../lib/report/record';
import type { RunRequest } from '../../lib/schedule/records';
import type { Storage } from '../../lib/storage/storage';
import { runToEnd } from '../support/in-process-run';
import { requestRun, type TinySet } from '../support/tiny-run';

export interface PolicyRun {
  readonly report: Report;
  readonly events: PolicyEvent[];
  /** Mini-batches of each round. */
  readonly batches: readonly number[];
}

/** What a test's policy asks, unless it says otherwise. */
export const policyOf = (set: TinySet, changes: Partial<RunPolicy> = {}): RunPolicy => ({
  name: 'p',
  version: 'v',
  occasion: 'audit',
  modelHash: modelHash(set.model),
  thresholds: { certified: [] },
  notify: ['a@example.org'],
  recheck: 0,
  ...changes,
});

/** A run of a policy in this process, from plan to report. */
export async function policyRun(
  storage: Storage,
  run: string,
  set: TinySet,
  policy: Partial<RunPolicy> = {},
  request: Partial<RunRequest> = {},
): Promise<PolicyRun> {
  await requestRun(storage, run, set, { policy: policyOf(set, policy), ...request });
  const rounds = await runToEnd(storage, run);
  return { ...(await reported(storage, run)), batches: rounds.map(({ batches }) => batches) };
}

/** The report of a run that has been planned. */
export async function reported(storage: Storage, run: string): Promise<Pick<PolicyRun, 'report' | 'events'>> {
  const events: PolicyEvent[] = [];
  const sink = { publish: async (some: readonly PolicyEvent[]) => void events.push(...some) };
  await reportRun(storage, run, undefined, Date.now, sink);
  return { report: await readReport(storage, `runs/${run}`), events };
}

/** Dates a run, so that runs of one test follow each other. */
export async function date(storage: Storage, run: string, startedAt: string): Promise<void> {
  await storage.put(recordKey(run), JSON.stringify({ ...(await readRecord(storage, run)), startedAt }));
}

export const historyOf = (storage: Storage) => readHistory(storage, 'p', 'models/tiny.onnx');

/** Verdicts by ball, as text. */
export function verdictsOf({ balls }: Report): string[] {
  return balls.map(({ index, epsilon, verdict }) => `${index} ${epsilon} ${verdict}`);
}
