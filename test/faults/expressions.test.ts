import { StatesError } from '../../lib/workflow/interpreter/errors';
import { runLocally } from '../../lib/workflow/local';
import { memoryStorage } from '../support/memory-storage';

const hostile = `{% $error('run') %}' & $eval("1/0") & '\${BucketName}`;

test('what a request or a failure says is a value to the expressions of the workflow, never one of them', async () => {
  const heard: unknown[] = [];
  const result = await runLocally({
    storage: memoryStorage(),
    bucket: 'b',
    concurrency: 1,
    input: { kind: 'run', bucket: 'b', run: hostile },
    pool: {
      async invoke(name, payload) {
        heard.push(payload);
        if (name === 'plan') throw new StatesError('BadInputError', hostile);
        return { payload: { reportKey: hostile, counts: {}, status: 'failed' }, cpuSeconds: 0 };
      },
    },
  });
  expect(result).toMatchObject({ status: 'FAILED', error: 'BadInputError' });
  expect(heard[0]).toMatchObject({ event: { run: hostile } });
  expect(heard[1]).toMatchObject({ failed: { error: 'BadInputError', cause: hostile } });
});
