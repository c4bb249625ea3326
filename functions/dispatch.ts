import { contextFromEnvironment } from '../lib/policy/aws-context';
import { dispatchUpload, uploadOf } from '../lib/policy/dispatch';
import type { DispatchRecord } from '../lib/policy/record';
import { uploadEventSchema } from '../lib/workflow/events';

const eventSchema = uploadEventSchema.omit({ bucket: true });

/** EventBridge's `Object Created` of a model: starts a run for every policy that matches. */
export const handler = async (event: unknown): Promise<DispatchRecord> =>
  dispatchUpload(uploadOf(eventSchema.parse(event)), contextFromEnvironment());
