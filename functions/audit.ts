import { z } from 'zod';
import { dispatchAudit } from '../lib/policy/audit';
import { contextFromEnvironment } from '../lib/policy/aws-context';
import type { DispatchRecord } from '../lib/policy/record';

const eventSchema = z.strictObject({ scheduled: z.string().min(1) });

/** The nightly schedule: starts the runs of all audits. `scheduled` is the same in a second delivery. */
export const handler = async (event: unknown): Promise<DispatchRecord> =>
  dispatchAudit(eventSchema.parse(event), contextFromEnvironment());
