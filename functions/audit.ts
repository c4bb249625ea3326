import { functionContext } from '../lib/observe/function';
import { logDispatch } from '../lib/observe/log';
import { traced } from '../lib/observe/trace';
import { dispatchAudit } from '../lib/policy/audit';
import type { DispatchRecord } from '../lib/policy/record';
import { auditEventSchema } from '../lib/workflow/events';

/** The nightly schedule: starts the runs of all audits. `scheduled` is the same in a second delivery. */
export const handler = traced('audit', async (event): Promise<DispatchRecord> => {
  const record = await dispatchAudit(auditEventSchema.parse(event), functionContext());
  logDispatch(record);
  return record;
});
