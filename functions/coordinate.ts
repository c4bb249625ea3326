import { functionStorage } from '../lib/observe/function';
import { logRound } from '../lib/observe/log';
import { countRound } from '../lib/observe/metrics';
import { annotate, traced } from '../lib/observe/trace';
import { coordinateRound } from '../lib/pipeline/coordinate';
import { type CoordinateOutput, coordinateInputSchema } from '../lib/workflow/events';
import { readMapFailures } from '../lib/workflow/map-results';

/** State `Coordinate`: merges a round and plans the next. */
export const handler = traced('coordinate', async (input): Promise<CoordinateOutput> => {
  const { run, round, map } = coordinateInputSchema.parse(input);
  annotate({ run: run.id, round: round.number });
  const storage = functionStorage();
  const failed = await readMapFailures(storage, map);
  const next = await coordinateRound(storage, run.id, round.number, failed, Date.now, (tally) =>
    countRound(run.id, tally),
  );
  logRound(run.id, next);
  return { run, round: next };
});
