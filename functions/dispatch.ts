import { functionContext } from '../lib/observe/function';
import { logDispatch } from '../lib/observe/log';
import { traced } from '../lib/observe/trace';
import { dispatchUpload, uploadOf } from '../lib/policy/dispatch';
import type { DispatchRecord } from '../lib/policy/record';
import { uploadEventSchema } from '../lib/workflow/events';

/** EventBridge's `Object Created` of a model: starts a run for every policy that matches. */
export const handler = traced('dispatch', async (event): Promise<DispatchRecord> => {
  const record = await dispatchUpload(uploadOf(uploadEventSchema.parse(event)), functionContext());
  logDispatch(record);
  return record;
});
