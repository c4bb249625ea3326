import { z } from 'zod';
import { stateKey } from '../pipeline/keys';
import { decodeState } from '../schedule/state-file';
import { summarise } from '../schedule/summary';
import type { Storage } from '../storage/storage';
import type { Pool } from '../workflow/pool/pool';
import type { Progress } from './progress';

const verified = z.object({ robust: z.number(), notRobust: z.number() });
const planned = z.object({ round: z.object({ number: z.number(), scan: z.literal(true).optional() }) });

/**
 * A pool that shows the progress of a run: mini-batches count as they end, by what verify answers, until the state after
 * their round says the same and what became unknown.
 */
export function countingPool(
  pool: Pick<Pool, 'invoke'>,
  storage: Storage,
  run: string,
  progress: Progress,
): Pick<Pool, 'invoke'> {
  const none = { balls: 0, settled: 0, robust: 0, notRobust: 0, unknown: 0 };
  let counts = none;
  const show = (): void => {
    const { balls, settled, robust, notRobust, unknown } = counts;
    progress.update(settled, balls, `${robust} robust, ${notRobust} not robust, ${unknown} unknown`);
  };
  const catchUp = async (round: number): Promise<void> => {
    const { balls, settled, radii } = summarise(decodeState(await storage.get(stateKey(run, round))));
    const sum = (name: 'robust' | 'not-robust' | 'unknown'): number =>
      radii.reduce((total, radius) => total + radius[name], 0);
    counts = { balls, settled, robust: sum('robust'), notRobust: sum('not-robust'), unknown: sum('unknown') };
    progress.phase(`round ${round + 1}`);
    show();
  };
  return {
    async invoke(name, payload, options) {
      const invoked = await pool.invoke(name, payload, options);
      const reply = verified.safeParse(invoked.payload);
      if (name === 'verify' && reply.success) {
        const { robust, notRobust } = reply.data;
        counts = {
          ...counts,
          settled: counts.settled + robust + notRobust,
          robust: counts.robust + robust,
          notRobust: counts.notRobust + notRobust,
        };
        show();
      }
      const next = planned.safeParse(invoked.payload);
      if (next.success && next.data.round.scan === undefined) await catchUp(next.data.round.number);
      return invoked;
    },
  };
}
