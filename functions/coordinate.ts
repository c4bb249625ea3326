import { logRound } from '../lib/observe/log';
import { countRound } from '../lib/observe/metrics';
import { coordinateRound } from '../lib/pipeline/coordinate';
import { storageFromEnvironment } from '../lib/storage/open';
import { type CoordinateOutput, coordinateInputSchema } from '../lib/workflow/events';
import { readMapFailures } from '../lib/workflow/map-results';

/** State `Coordinate`: merges a round and plans the next. */
export const handler = async (input: unknown): Promise<CoordinateOutput> => {
  const { run, round, map } = coordinateInputSchema.parse(input);
  const storage = storageFromEnvironment();
  const failed = await readMapFailures(storage, map);
  const next = await coordinateRound(storage, run.id, round.number, failed, Date.now, (tally) =>
    countRound(run.id, tally),
  );
  logRound(run.id, next);
  return { run, round: next };
};
