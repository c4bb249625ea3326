import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { BadInputError } from '../errors';
import { recordKey, requestKey, runPrefix } from '../pipeline/keys';
import { reportRun } from '../pipeline/report';
import { readReport, reportKeys } from '../report/json';
import type { Report } from '../report/record';
import { fileStorage, tidyFolder } from '../storage/files';
import type { Storage } from '../storage/storage';
import { findAttempt, isUnderWay } from './attempts';
import type { Deployment } from './connect';

export interface FetchOptions {
  readonly run: string;
  /** The folder that it is brought to; made when it is not there. */
  readonly folder: string;
  /** Counterexamples too. */
  readonly witnesses: boolean;
}

export interface Fetched {
  readonly report: Report;
  /** Objects brought, and counterexamples that were there already. */
  readonly brought: number;
  readonly kept: number;
  /** Whether the report was made here, from what a run that ended early had settled. */
  readonly made: boolean;
}

/** Objects under way at the same time. */
const parallel = 16;

/**
 * Brings the report of a run, its record and its counterexamples to a folder laid out like that of `npx baverly run`. A run that was
 * cancelled has no report: one of what it had settled is made here.
 *
 * @throws BadInputError when there is no such run, or nothing to report yet
 */
export async function fetchRun({ storage, executions }: Deployment, options: FetchOptions): Promise<Fetched> {
  const { run, folder, witnesses } = options;
  const own = await storage.list(`${runPrefix(run)}/`);
  const has = (key: string): boolean => own.some((object) => object.key === key);
  const local = fileStorage(folder);
  const reports = Object.values(reportKeys(runPrefix(run)));
  const isReported = reports.every(has);
  if (!isReported) await refuseUnfinished(executions, run, has(recordKey(run)));
  const records = [requestKey(run), recordKey(run), ...(isReported ? reports : [])];
  await bring(storage, local, records);
  if (!isReported) await reportRun(readingFrom(storage, local), run, undefined);
  for (const key of reports) copyFileSync(path.join(folder, key), path.join(folder, path.basename(key)));

  const report = await readReport(local, runPrefix(run));
  // A verdict that was reused has its counterexample in the run that found it.
  const named = new Set(witnesses ? report.balls.flatMap(({ witness }) => witness ?? []) : []);
  const there = new Set((await local.list('')).map(({ key }) => key));
  const missing = [...named].filter((key) => !there.has(key) && key.endsWith('.npy'));
  await bring(storage, local, missing);
  await tidyFolder(folder);
  const brought = records.length + missing.length;
  return { report, brought, kept: named.size - missing.length, made: !isReported };
}

async function refuseUnfinished(executions: Deployment['executions'], run: string, planned: boolean): Promise<void> {
  const { execution } = await findAttempt(executions, run);
  const { status } = execution;
  if (isUnderWay(execution)) {
    throw new BadInputError(`run ${run}`, [`is under way and has no report yet: npx baverly watch ${run}`]);
  }
  if (planned) return;
  throw new BadInputError(`run ${run}`, [
    `ended (${status}) before anything was settled: npx baverly watch ${run} says why`,
  ]);
}

async function bring(from: Storage, to: Storage, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += parallel) {
    const part = keys.slice(start, start + parallel);
    await Promise.all(part.map(async (key) => to.put(key, await from.get(key))));
  }
}

/** Reads there and writes here, and reads what it wrote: a round whose accounts are missing has them made on the way. */
function readingFrom(remote: Storage, local: Storage): Storage {
  const written = new Set<string>();
  const holder = (key: string): Storage => (written.has(key) ? local : remote);
  return {
    ...remote,
    get: (key) => holder(key).get(key),
    getRange: (key, start, end) => holder(key).getRange(key, start, end),
    async put(key, body) {
      await local.put(key, body);
      written.add(key);
    },
    async putIfAbsent(key, body) {
      const isFirst = await local.putIfAbsent(key, body);
      written.add(key);
      return isFirst;
    },
  };
}
