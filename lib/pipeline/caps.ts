import { type Caps, type CapsRecord, capsOf, capsRecordSchema } from '../schedule/caps';
import { MissingKeyError, type Storage } from '../storage/storage';
import { capsKey } from './keys';
import { readJson, readRequest } from './records';

/** The caps of a run, if it has any. */
export async function readCaps(storage: Storage, run: string): Promise<CapsRecord | undefined> {
  try {
    return await readJson(storage, capsKey(run), capsRecordSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/**
 * Puts the caps in force with which an execution starts or goes on: those given, else those that the run had, else those of its request. The
 * clock starts anew, and a stop at an earlier cap is forgotten.
 */
export async function beginCaps(storage: Storage, run: string, given: Caps, now: () => number): Promise<void> {
  const known = await readCaps(storage, run);
  const caps = { ...capsOf(await readRequest(storage, run)), ...known?.caps, ...capsOf(given) };
  if (known === undefined && Object.keys(caps).length === 0) return;
  await writeCaps(storage, run, { version: 1, caps, since: now() });
}

/** Writes down that the run ended at a cap before this round. */
export async function stopAtCap(storage: Storage, run: string, record: CapsRecord, round: number): Promise<void> {
  const { maxUsd, maxSeconds } = record.caps;
  const caps = [maxUsd !== undefined && `$${maxUsd}`, maxSeconds !== undefined && `${maxSeconds} s`];
  const problem = `the run stopped at its cap of ${caps.filter(Boolean).join(' or ')}: resume it with a larger one`;
  await writeCaps(storage, run, { ...record, stopped: { round, problem } });
}

async function writeCaps(storage: Storage, run: string, record: CapsRecord): Promise<void> {
  await storage.put(capsKey(run), `${JSON.stringify(record, null, 2)}\n`);
}
