import { z } from 'zod';
import { getJson, getText, type Storage } from '../storage/storage';
import type { MapOutput } from './events';

const filesSchema = z.array(z.looseObject({ Key: z.string() }));
const manifestSchema = z.looseObject({
  ResultFiles: z.looseObject({ FAILED: filesSchema, PENDING: filesSchema, SUCCEEDED: filesSchema }),
});
const recordSchema = z.looseObject({
  Input: z.string(),
  Status: z.string(),
  Error: z.string().optional(),
  Cause: z.string().optional(),
});

/** A child of a round's map that gave no result. */
export interface FailedItem {
  /** What the child was given: `{bucket, batch}` (verifyInputSchema). */
  readonly input: unknown;
  /** `Lambda.Unknown`, `Sandbox.Timedout`, `States.Timeout`, the name of a handler's error, ... */
  readonly error: string;
  readonly cause: string;
}

/**
 * The children that failed, timed out, were aborted or never started, from the files that ResultWriter left (JSON Lines).
 * Throws MissingKeyError, SyntaxError or ZodError when they are not what Step Functions writes.
 */
export async function readFailedItems(storage: Storage, map: MapOutput): Promise<FailedItem[]> {
  const { ResultFiles } = manifestSchema.parse(await getJson(storage, map.ResultWriterDetails.Key));
  const failed: FailedItem[] = [];
  for (const { Key } of [...ResultFiles.FAILED, ...ResultFiles.PENDING]) {
    for (const line of (await getText(storage, Key)).split('\n')) {
      if (line.trim() === '') continue;
      const record = recordSchema.parse(JSON.parse(line));
      failed.push({ input: JSON.parse(record.Input), error: record.Error ?? record.Status, cause: record.Cause ?? '' });
    }
  }
  return failed;
}
