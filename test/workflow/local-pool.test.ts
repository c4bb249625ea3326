import { mapOutputSchema } from '../../lib/workflow/events';
import type { WorkflowEvent } from '../../lib/workflow/interpreter/services';
import { runLocally } from '../../lib/workflow/local';
import { readMapFailures } from '../../lib/workflow/map-results';
import { createPool } from '../../lib/workflow/pool/pool';
import { bucketWith } from './support/bucket';
import { bundle } from './support/bundle';

test('a process that is killed in the middle of a round leaves the rest of the run as it was', async () => {
  const { entry, remove } = bundle('workflow-entry.ts');
  const pool = createPool({ entry, size: 2, timeoutFor: () => 30 });
  try {
    const storage = await bucketWith({ 'plan.jsonl': '{"id":"0-0"}\n{"id":"0-1"}\n{"id":"0-2"}\n' });
    const progress: WorkflowEvent[] = [];
    const result = await runLocally({
      storage,
      bucket: 'data',
      pool,
      concurrency: 2,
      input: { kind: 'run', bucket: 'data', run: 'r1' },
      onEvent: (event) => void (event.kind === 'item' && progress.push(event)),
    });
    expect(result).toMatchObject({ status: 'SUCCEEDED', output: { status: 'done' } });
    expect(progress.at(-1)).toMatchObject({ state: 'Round', done: 3, failed: 1, total: 3 });
    const manifest = (await storage.list('runs/r1/rounds/0/map/')).find(({ key }) => key.endsWith('manifest.json'))!;
    const map = mapOutputSchema.parse({ MapRunArn: '', ResultWriterDetails: { Bucket: 'data', Key: manifest.key } });
    const [failure, ...others] = await readMapFailures(storage, map);
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ id: '0-1', error: 'Lambda.Unknown' });
    expect(JSON.parse(failure.cause)).toMatchObject({ signal: 'SIGKILL' });
  } finally {
    await pool.close();
    remove();
  }
});
