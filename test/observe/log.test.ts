import { packIds } from '../../lib/schedule/packed';
import type { MiniBatch } from '../../lib/schedule/records';

const batch: MiniBatch = {
  run: 'r',
  round: 2,
  id: '2-7',
  kind: 'first',
  epsilon: 0,
  label: 1,
  inputs: packIds([3]),
  size: 1,
  arm: 1,
  attempt: 1,
  seconds: 9,
};

/** What is logged, as objects; the logger asks the environment when it is made whether to write by the console of this process. */
function logged(log: (module: typeof import('../../lib/observe/log')) => void): unknown[] {
  process.env.POWERTOOLS_DEV = 'true';
  const lines: unknown[] = [];
  for (const level of ['info', 'error'] as const)
    jest.spyOn(console, level).mockImplementation((...args: unknown[]) => void lines.push(JSON.parse(String(args[0]))));
  log(require('../../lib/observe/log'));
  jest.restoreAllMocks();
  delete process.env.POWERTOOLS_DEV;
  return lines;
}

test('lines are JSON with run, round and mini-batch; a failed run tells why in one of them', () => {
  const problems = ['first\nproblem', 'second'];
  const lines = logged(({ logFailure, logMiniBatch, logRound }) => {
    logMiniBatch(batch, { id: '2-7', robust: 1, notRobust: 0, open: 0 });
    logRound('r', { number: 3, planKey: '', batches: 0, maxConcurrency: 1, long: false, done: true });
    logFailure('r', { error: 'BadInputError', problems });
  });
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'INFO',
      message: 'mini-batch verified',
      run: 'r',
      round: 2,
      batch: '2-7',
      robust: 1,
    }),
    expect.objectContaining({ level: 'INFO', message: 'run verified', run: 'r', round: 3, service: 'baverly' }),
    expect.objectContaining({ level: 'ERROR', message: 'run failed', run: 'r', reason: 'BadInputError', problems }),
  ]);
});

test('an upload that starts nothing is an error in the log, with all that kept it', () => {
  const record = {
    version: 1 as const,
    at: '2026-11-22T00:00:00Z',
    occasion: 'upload' as const,
    model: 'models/m.onnx',
  };
  const run = { policy: 'p', model: 'models/m.onnx', run: 'p-m-1', state: 'started' as const };
  const lines = logged(({ logDispatch }) => {
    logDispatch({ ...record, runs: [run], problems: [] });
    logDispatch({ ...record, runs: [], problems: ['too large'] });
  });
  expect(lines).toEqual([
    expect.objectContaining({ level: 'INFO', message: 'runs dispatched', runs: [{ run: 'p-m-1', state: 'started' }] }),
    expect.objectContaining({ level: 'ERROR', model: 'models/m.onnx', runs: [], problems: ['too large'] }),
  ]);
});
