import { planRun } from '../lib/pipeline/plan';
import { resolveEvent } from '../lib/pipeline/resolve';
import { capsOf } from '../lib/schedule/caps';
import { storageFromEnvironment } from '../lib/storage/open';
import { isRunEvent, type PlanOutput, planInputSchema } from '../lib/workflow/events';

/** State `Plan`: a run is planned; any other event is turned into the runs that policies ask for. */
export const handler = async (input: unknown): Promise<PlanOutput> => {
  const { event } = planInputSchema.parse(input);
  const storage = storageFromEnvironment();
  if (!isRunEvent(event)) return resolveEvent(storage, event);
  const round = await planRun(storage, event.run, Date.now, capsOf(event));
  return { kind: 'round', run: { id: event.run, bucket: event.bucket }, round };
};
