import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { type Narrate, narratingPool } from '../observe/narrate';
import { runPrefix } from '../pipeline/keys';
import { reportRun } from '../pipeline/report';
import { readReport, reportKeys } from '../report/json';
import type { Report } from '../report/record';
import type { Caps } from '../schedule/caps';
import { fileStorage, tidyFolder } from '../storage/files';
import type { Storage } from '../storage/storage';
import { problemsOfCause } from '../workflow/cause';
import { runLocally } from '../workflow/local';
import { createPool } from '../workflow/pool/pool';
import { countingPool } from './counting-pool';
import { keepLearned } from './learned';
import type { Progress } from './progress';

/** Name of the only run that a local output folder holds. */
export const localRun = 'local';

export interface LocalRunOptions {
  /** The output folder: root of the storage. */
  readonly folder: string;
  /** Entry of the child processes. */
  readonly worker: string;
  readonly workers: number;
  /** Memory cap of each worker, in megabytes. */
  readonly memoryMb: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Told what happens. */
  readonly narrate?: Narrate;
  /** Other caps than those of the request. */
  readonly caps?: Caps;
}

/** How a local run ended. `interrupted`: by the signal; `resume` goes on. */
export type LocalRunResult =
  | { readonly kind: 'ended'; readonly report: Report }
  | { readonly kind: 'interrupted'; readonly report: Report | undefined }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly problems: readonly string[];
      readonly hasReport: boolean;
    };

/** Seconds that a function may take, as in the stack. */
const timeouts: Readonly<Record<string, number>> = { plan: 900, verify: 900, coordinate: 900, report: 900 };

/**
 * Runs (or goes on with) the run in a folder: the state machine that AWS runs, its functions in child processes, over files.
 */
export async function runInFolder(options: LocalRunOptions): Promise<LocalRunResult> {
  const { folder, worker, workers, memoryMb, progress, signal, narrate } = options;
  const storage = fileStorage(folder);
  const pool = createPool({
    entry: worker,
    size: workers,
    timeoutFor: (name) => timeouts[name] ?? 900,
    env: { BAVERLY_ROOT: folder, BAVERLY_BUCKET: '', BAVERLY_MEMORY_MB: String(memoryMb) },
  });
  try {
    progress.phase('planning');
    const result = await runLocally({
      storage,
      bucket: 'local',
      pool: countingPool(narrate ? narratingPool(pool, narrate, localRun) : pool, storage, localRun, progress),
      concurrency: workers,
      input: { kind: 'run', bucket: 'local', run: localRun, ...options.caps },
      signal,
    });
    progress.stop();
    if (result.status === 'SUCCEEDED') {
      await keepLearned(folder);
      return { kind: 'ended', report: await finish(storage, folder) };
    }
    if (result.status === 'ABORTED') {
      const { status } = await reportRun(storage, localRun, undefined);
      return { kind: 'interrupted', report: status === 'failed' ? undefined : await finish(storage, folder) };
    }
    const problems = problemsOfCause(result);
    narrate?.(`the run failed: ${result.error}: ${problems.join('; ')}`);
    // What was settled until then, if it was planned; with why it failed.
    const isReported = existsSync(path.join(folder, reportKeys(runPrefix(localRun)).json));
    const report = isReported ? await finish(storage, folder) : undefined;
    return { kind: 'failed', error: result.error, problems, hasReport: report?.status === 'failed' };
  } finally {
    progress.stop();
    await pool.close();
    await tidyFolder(folder);
  }
}

/** The report, copied to the top of the folder where people look first. */
async function finish(storage: Storage, folder: string): Promise<Report> {
  const keys = reportKeys(runPrefix(localRun));
  for (const key of Object.values(keys)) copyFileSync(path.join(folder, key), path.join(folder, path.basename(key)));
  return readReport(storage, runPrefix(localRun));
}
