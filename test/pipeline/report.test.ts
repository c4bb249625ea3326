import { failureKey } from '../../lib/pipeline/keys';
import { planRun } from '../../lib/pipeline/plan';
import { readJson } from '../../lib/pipeline/records';
import { failureRecordSchema, reportRun } from '../../lib/pipeline/report';
import { readReport } from '../../lib/report/json';
import { getText } from '../../lib/storage/storage';
import { runToEnd } from '../support/in-process-run';
import { memoryStorage } from '../support/memory-storage';
import { requestRun, tinySet } from '../support/tiny-run';

const failed = { error: 'BadInputError', problems: ['the model is cut short', 'no labels'] };

test('a run that failed before it was planned leaves the reason, and no report', async () => {
  const storage = memoryStorage();
  expect(await reportRun(storage, 'r', failed)).toEqual({ reportKey: failureKey('r'), counts: {}, status: 'failed' });
  expect(await readJson(storage, failureKey('r'), failureRecordSchema)).toEqual(failed);
  expect(await storage.list('runs/r/')).toHaveLength(1);
});

test('a run that failed later reports the reason and what was settled until then', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet({ wrong: 2 }));
  await planRun(storage, 'r');
  expect(await reportRun(storage, 'r', failed)).toMatchObject({ status: 'failed', counts: { misclassified: 4 } });
  const report = await readReport(storage, 'runs/r');
  expect(report).toMatchObject({ status: 'failed', problems: failed.problems });
  expect(report.balls).toHaveLength(4);
  expect(await readJson(storage, failureKey('r'), failureRecordSchema)).toEqual(failed);
});

test('in the middle of a run the report is incomplete', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet());
  await planRun(storage, 'r');
  expect(await reportRun(storage, 'r', undefined)).toMatchObject({ status: 'incomplete' });
});

test('written again it is the same, and a picture that cannot be read is left out', async () => {
  const storage = memoryStorage();
  await requestRun(storage, 'r', await tinySet());
  await runToEnd(storage, 'r');
  const at = Date.now() + 5_000;
  await reportRun(storage, 'r', undefined, () => at);
  const html = await getText(storage, 'runs/r/report.html');
  await reportRun(storage, 'r', undefined, () => at);
  expect(await getText(storage, 'runs/r/report.html')).toBe(html);
  const { balls } = await readReport(storage, 'runs/r');
  const { witness } = balls.find(({ verdict }) => verdict === 'not-robust')!;
  expect(witness).toMatch(/^runs\/r\/rounds\/\d+\/witnesses\/[01]-\d+\.npy$/);
  await storage.put(witness!, 'damaged');
  const log = jest.spyOn(console, 'error').mockImplementation(() => {});
  expect(await reportRun(storage, 'r', undefined, () => at)).toMatchObject({ status: 'done' });
  expect(log.mock.calls.flat().join()).toContain('picture left out');
  log.mockRestore();
});
