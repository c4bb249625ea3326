import { planRun } from '../lib/pipeline/plan';
import { capsOf } from '../lib/schedule/caps';
import { storageFromEnvironment } from '../lib/storage/open';
import { type PlanOutput, planInputSchema } from '../lib/workflow/events';

/** State `Plan`: plans a run, or the round that it goes on with. */
export const handler = async (input: unknown): Promise<PlanOutput> => {
  const { event } = planInputSchema.parse(input);
  const round = await planRun(storageFromEnvironment(), event.run, Date.now, capsOf(event));
  return { run: { id: event.run, bucket: event.bucket }, round };
};
