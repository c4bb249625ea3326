import path from 'node:path';
import type { Execution } from '../../lib/client/executions';
import { fetchRun } from '../../lib/client/fetch';
import { coordinateRound } from '../../lib/pipeline/coordinate';
import { planRun } from '../../lib/pipeline/plan';
import { createVerifier } from '../../lib/pipeline/verify';
import { dyingAfter } from '../support/dying-storage';
import { temporaryFolder } from '../support/folder';
import { batchesOf, contentOf, megabyte } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

const aborted: Execution = { name: 'r', status: 'ABORTED', startDate: new Date(0), stopDate: new Date(1) };
const executions = {
  start: async () => 'exists' as const,
  find: async (name: string) => (name === 'r' ? aborted : undefined),
  async *all() {
    yield aborted;
  },
  stop: async () => {},
};
const folder = temporaryFolder();

test.each([1, 2])(
  'a run that was cancelled while a round was written, after %i writes, is reported with what it had settled',
  async (writes) => {
    const storage = memoryStorage();
    await requestRun(storage, 'r', await tinySet({ wrong: 2 }));
    const verifier = createVerifier(256 * megabyte);
    for (const batch of await batchesOf(storage, 'r', await planRun(storage, 'r')))
      await verifier.verify(storage, batch);
    await expect(coordinateRound(dyingAfter(storage, writes), 'r', 0, [])).rejects.toThrow('killed');
    const before = await contentOf(storage);
    const deployment = { bucket: 'b', storage, executions };
    const options = { run: 'r', folder: path.join(folder, String(writes)), witnesses: true };
    const { report, made } = await fetchRun(deployment, options);
    expect({ made, status: report.status }).toEqual({ made: true, status: 'incomplete' });
    expect(report.balls.filter(({ verdict }) => verdict === 'robust').length).toBeGreaterThan(0);
    expect(report.batches.length).toBeGreaterThan(0);
    // Nothing is written there, and a second look gives the same.
    expect(await contentOf(storage)).toEqual(before);
    expect((await fetchRun(deployment, options)).report.balls).toEqual(report.balls);
  },
);
