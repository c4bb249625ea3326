import { z } from 'zod';
import type { BatchFailure } from '../schedule/records';
import { getJson, getText, type Storage } from '../storage/storage';
import type { MapOutput } from './events';

const filesSchema = z.array(z.looseObject({ Key: z.string() }));
const manifestSchema = z.looseObject({
  ResultFiles: z.looseObject({ FAILED: filesSchema, PENDING: filesSchema, SUCCEEDED: filesSchema }),
});
const recordSchema = z.looseObject({
  Input: z.string().default('null'),
  Status: z.string(),
  Error: z.string().optional(),
  Cause: z.string().optional(),
  StartDate: z.string().optional(),
  StopDate: z.string().optional(),
});
const inputSchema = z.looseObject({ batch: z.looseObject({ id: z.string() }) });

/**
 * The mini-batches of a round whose child failed, timed out, was aborted or never started, from the files that
 * ResultWriter left (JSON Lines or a JSON array). `error` is `Lambda.Unknown`, `Sandbox.Timedout`, `States.Timeout`, the name of a handler's
 * own error, or else the child's status. A child that does not tell its mini-batch is left out: the coordinator finds
 * that mini-batch without a result.
 *
 * @throws MissingKeyError, SyntaxError or ZodError when the files are not what Step Functions writes
 */
export async function readMapFailures(storage: Storage, map: MapOutput): Promise<BatchFailure[]> {
  const { ResultFiles } = manifestSchema.parse(await getJson(storage, map.ResultWriterDetails.Key));
  const failures: BatchFailure[] = [];
  for (const { Key } of [...ResultFiles.FAILED, ...ResultFiles.PENDING]) {
    for (const line of jsonValues(await getText(storage, Key))) {
      const record = recordSchema.parse(line);
      const input = inputSchema.safeParse(JSON.parse(record.Input));
      if (!input.success) continue;
      const { Status, Error: error = Status, Cause: cause = '', StartDate, StopDate } = record;
      const seconds = (Date.parse(StopDate ?? '') - Date.parse(StartDate ?? '')) / 1000;
      failures.push({ id: input.data.batch.id, error, cause, ...(seconds >= 0 && { seconds }) });
    }
  }
  return failures;
}

function jsonValues(text: string): unknown[] {
  if (text.startsWith('[')) return z.array(z.unknown()).parse(JSON.parse(text));
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line)]));
}
