import { contextFromEnvironment } from '../lib/policy/aws-context';
import { dispatchUpload, uploadOf } from '../lib/policy/dispatch';
import type { DispatchRecord } from '../lib/policy/record';
import { uploadEventSchema } from '../lib/workflow/events';

/** EventBridge's `Object Created` of a model: starts a run for every policy that matches. */
export const handler = async (event: unknown): Promise<DispatchRecord> =>
  dispatchUpload(uploadOf(uploadEventSchema.parse(event)), contextFromEnvironment());
