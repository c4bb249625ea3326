import { countingPool } from '../../lib/cli/counting-pool';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { planRun } from '../../lib/pipeline/plan';
import { createVerifier } from '../../lib/pipeline/verify';
import type { Round } from '../../lib/workflow/events';
import { batchesOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

/** What was shown: `<phase>: <settled>/<balls> <detail>`. */
function recorded() {
  const shown: string[] = [];
  let phase = '';
  const progress = {
    phase(text: string) {
      phase = text;
    },
    update: (settled: number, balls: number, detail: string) => shown.push(`${phase}: ${settled}/${balls} ${detail}`),
    stop() {},
  };
  return { shown, progress };
}

test('what is shown between two merges is what the second one finds', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet({ wrong: 2 }));
  const verifier = createVerifier(256 * megabyte);
  const round = await planRun(storage, 'r');
  const functions: Record<string, (payload: unknown) => Promise<unknown>> = {
    plan: async () => ({ round }),
    verify: (batch) => verifier.verify(storage, batch),
    coordinate: async () => ({ round: await coordinateRound(storage, 'r', 0, []) }),
    report: async () => ({ reportKey: 'r/report.json', counts: {}, status: 'done' }),
  };
  const { shown, progress } = recorded();
  const pool = countingPool(
    { invoke: async (name, payload) => ({ payload: await functions[name](payload), cpuSeconds: 0 }) },
    storage,
    'r',
    progress,
  );

  await pool.invoke('plan', {});
  expect(shown).toEqual(['round 1: 4/120 0 robust, 0 not robust, 0 unknown']);
  for (const batch of await batchesOf(storage, 'r', round)) await pool.invoke('verify', batch);
  const last = shown.at(-1)!;
  const [, settled, robust, notRobust] = /: (\d+)\/120 (\d+) robust, (\d+) not robust, 0 unknown$/.exec(last)!;
  expect(Number(settled)).toBe(4 + Number(robust) + Number(notRobust));
  expect(Number(robust)).toBeGreaterThan(0);

  const { payload } = await pool.invoke('coordinate', {});
  expect((payload as { round: Round }).round.number).toBe(1);
  expect(shown.at(-1)).toBe(last.replace('round 1', 'round 2'));

  const before = shown.length;
  await pool.invoke('report', {});
  expect(shown).toHaveLength(before);
});
