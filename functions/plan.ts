import { functionStorage } from '../lib/observe/function';
import { logRound } from '../lib/observe/log';
import { annotate, traced } from '../lib/observe/trace';
import { planRun } from '../lib/pipeline/plan';
import { finishScan, scanChunk } from '../lib/pipeline/plan-scan';
import { capsOf } from '../lib/schedule/caps';
import { type ChunkOutput, type PlanOutput, planInputSchema } from '../lib/workflow/events';

/** States `Plan`, `Scan` and `Cluster`: plans a run, or the round that it goes on with; of a large data set in three steps. */
export const handler = traced('plan', async (input): Promise<PlanOutput | ChunkOutput> => {
  const asked = planInputSchema.parse(input);
  const storage = functionStorage();
  if ('chunk' in asked) return scanChunk(storage, asked.chunk);
  if ('scanned' in asked) {
    annotate({ run: asked.scanned.id });
    return { run: asked.scanned, round: await finishScan(storage, asked.scanned.id) };
  }
  const { run, bucket } = asked.event;
  annotate({ run });
  const round = await planRun(storage, run, Date.now, capsOf(asked.event));
  logRound(run, round);
  return { run: { id: run, bucket }, round };
});
