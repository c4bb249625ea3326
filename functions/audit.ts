import { dispatchAudit } from '../lib/policy/audit';
import { contextFromEnvironment } from '../lib/policy/aws-context';
import type { DispatchRecord } from '../lib/policy/record';
import { auditEventSchema } from '../lib/workflow/events';

/** The nightly schedule: starts the runs of all audits. `scheduled` is the same in a second delivery. */
export const handler = async (event: unknown): Promise<DispatchRecord> =>
  dispatchAudit(auditEventSchema.parse(event), contextFromEnvironment());
