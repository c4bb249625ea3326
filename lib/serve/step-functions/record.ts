import { z } from 'zod';
import { messageOf } from '../../errors';
import { getJson, type Storage } from '../../storage/storage';

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'ABORTED'] as const;

/** An execution as it is kept on disk, from its start on. */
const executionRecordSchema = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  /** JSON. */
  input: z.string(),
  status: z.enum(statuses),
  startDate: z.iso.datetime(),
  stopDate: z.iso.datetime().optional(),
  /** JSON; of SUCCEEDED. */
  output: z.string().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  /** How often it went on after an interruption of the server. */
  resumed: z.int().nonnegative(),
});
export type ExecutionRecord = z.infer<typeof executionRecordSchema>;

const prefix = 'executions/';

export async function writeExecution(storage: Storage, record: ExecutionRecord): Promise<void> {
  await storage.put(`${prefix}${record.name}.json`, `${JSON.stringify(record, null, 2)}\n`);
}

/** All executions, and why some cannot be read. */
export async function readExecutions(
  storage: Storage,
): Promise<{ readonly records: ExecutionRecord[]; readonly unreadable: string[] }> {
  const records: ExecutionRecord[] = [];
  const unreadable: string[] = [];
  for (const { key } of await storage.list(prefix)) {
    if (!key.endsWith('.json')) continue;
    try {
      records.push(executionRecordSchema.parse(await getJson(storage, key)));
    } catch (error) {
      unreadable.push(`${key} in ${storage.location}: ${messageOf(error)}`);
    }
  }
  return { records, unreadable };
}
