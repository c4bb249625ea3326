import { openRecords } from '../dataset/records';
import { itemsKey, runPrefix } from '../pipeline/keys';
import { readReport } from '../report/json';
import type { BallVerdict, RadiusSummary, Report } from '../report/record';
import { MissingKeyError, type Storage } from '../storage/storage';
import { readItemKeys } from './item-keys';

/** A run as it is compared with others. */
export interface RunView {
  readonly side: {
    readonly run: string;
    readonly model: string;
    readonly modelHash: string;
    readonly startedAt: string;
    readonly cleanAccuracy: number;
  };
  readonly radii: readonly Pick<RadiusSummary, 'epsilon' | 'value' | 'certifiedAccuracy'>[];
  readonly balls: readonly Pick<BallVerdict, 'index' | 'label' | 'epsilon' | 'verdict'>[];
  /** [inputs] What tells the item of each input from others. */
  readonly keys: readonly string[];
}

export function viewOf({ run, radii, balls }: Report, keys: readonly string[]): RunView {
  const { id, modelHash, startedAt, cleanAccuracy, request } = run;
  return { side: { run: id, model: request.model, modelHash, startedAt, cleanAccuracy }, radii, balls, keys };
}

/**
 * A finished run in storage. Throws MissingKeyError where it has no report, and BadInputError where the report is not valid or the
 * data set is not what the run was planned with.
 */
export async function readRunView(storage: Storage, run: string): Promise<RunView> {
  const report = await readReport(storage, runPrefix(run));
  return viewOf(report, (await storedKeys(storage, run)) ?? (await computedKeys(storage, report)));
}

/** Bytes of a SHA-256. */
const keyBytes = 32;

/** Keeps the items' keys of a run, so that it can be compared after its data set was replaced. */
export async function writeItemKeys(storage: Storage, run: string, keys: readonly string[]): Promise<void> {
  await storage.put(itemsKey(run), Buffer.from(keys.join(''), 'hex'));
}

async function storedKeys(storage: Storage, run: string): Promise<string[] | undefined> {
  try {
    const hex = Buffer.from(await storage.get(itemsKey(run))).toString('hex');
    return Array.from({ length: hex.length / (2 * keyBytes) }, (_, i) =>
      hex.slice(2 * keyBytes * i, 2 * keyBytes * (i + 1)),
    );
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

async function computedKeys(storage: Storage, { run, preprocessing }: Report): Promise<string[]> {
  const records = await openRecords(storage, run.request.dataset, preprocessing);
  return readItemKeys(records, run.inputs, run.datasetHash);
}
