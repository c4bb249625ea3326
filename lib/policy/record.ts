import { z } from 'zod';
import { dispatchKey } from '../pipeline/keys';
import { readJson } from '../pipeline/records';
import { MissingKeyError, type Storage } from '../storage/storage';

const requestedRunSchema = z.strictObject({
  policy: z.string(),
  /** Storage key. */
  model: z.string(),
  run: z.string(),
  /** `started` by this delivery of the event, or `exists` from an earlier one. */
  state: z.enum(['started', 'exists']),
});
export type RequestedRun = z.infer<typeof requestedRunSchema>;

/** What became of an upload or a night: `dispatches/<name>.json`. */
const dispatchRecordSchema = z.strictObject({
  version: z.literal(1),
  /** ISO 8601. */
  at: z.string(),
  occasion: z.enum(['upload', 'audit']),
  /** Of an upload: storage key, version and SHA-256 of what was uploaded. */
  model: z.string().optional(),
  versionId: z.string().optional(),
  modelHash: z.string().optional(),
  /** Of an audit: when it was meant to be. */
  scheduled: z.string().optional(),
  runs: z.array(requestedRunSchema),
  /** Everything that kept runs from being started. */
  problems: z.array(z.string()),
});
export type DispatchRecord = z.infer<typeof dispatchRecordSchema>;

export async function recorded(storage: Storage, name: string): Promise<DispatchRecord | undefined> {
  try {
    return await readJson(storage, dispatchKey(name), dispatchRecordSchema);
  } catch (error) {
    if (error instanceof MissingKeyError) return undefined;
    throw error;
  }
}

/** Writes the record unless there is one already; gives what the caller did, whichever is kept. */
export async function recordOnce(storage: Storage, name: string, record: DispatchRecord): Promise<DispatchRecord> {
  await storage.putIfAbsent(dispatchKey(name), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}
