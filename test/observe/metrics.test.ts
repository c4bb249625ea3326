import { type MetricName, metricNames } from '../../lib/observe/names';
import { reportSchema } from '../../lib/report/record';
import { fileStorage } from '../../lib/storage/files';
import { getJson } from '../../lib/storage/storage';
import { policyOf } from '../audit/policy-run';
import { temporaryFolder } from '../support/folder';
import { requestRun, tinySet } from '../support/tiny-run';
import { type Figure, figuresIn, type LambdaRun, lambdaRun } from './lambda';

const folder = temporaryFolder();
const stack = { service: 'Trial' };
let whole: LambdaRun;
let figures: Figure[];
beforeAll(async () => {
  const set = await tinySet({ wrong: 2 });
  const policy = policyOf(set, { name: 'nightly' });
  whole = await lambdaRun(folder, 'r', (storage) => requestRun(storage, 'r', set, { policy }));
  figures = figuresIn(whole.lines);
});

const sum = (name: MetricName): number =>
  figures
    .filter((figure) => figure.name === name && Object.keys(figure.dimensions).length === 1)
    .reduce((total, { value }) => total + Number(value), 0);
const last = (name: MetricName): number =>
  Number(figures.findLast((figure) => figure.name === name && Object.keys(figure.dimensions).length === 1)?.value);

test('what the functions count is what the report says', async () => {
  expect(whole.result.status).toBe('SUCCEEDED');
  const report = reportSchema.parse(await getJson(fileStorage(folder), 'runs/r/report.json'));
  const count = (wanted: string): number => report.balls.filter(({ verdict }) => verdict === wanted).length;
  const unknown = count('unknown');
  const settled = count('robust') + count('not-robust');
  expect(report.balls).toHaveLength(120);
  expect(count('misclassified')).toBe(4);
  expect({
    robust: sum(metricNames.ballsRobust),
    notRobust: sum(metricNames.ballsNotRobust),
    unknown: sum(metricNames.ballsUnknown),
    misclassified: sum(metricNames.ballsMisclassified),
    missing: sum(metricNames.ballsMissing),
    rounds: sum(metricNames.rounds),
    failed: sum(metricNames.miniBatchesFailed),
    reported: sum(metricNames.runsReported),
  }).toEqual({
    robust: count('robust'),
    notRobust: count('not-robust'),
    unknown,
    misclassified: 4,
    missing: 0,
    rounds: report.rounds,
    failed: 0,
    reported: 1,
  });
  expect(last(metricNames.unknownShare)).toBeCloseTo(unknown / (unknown + settled), 12);
  expect(last(metricNames.velocity)).toBeCloseTo(settled / report.cpuSeconds, 9);
  expect(sum(metricNames.cpuSeconds)).toBeCloseTo(report.cpuSeconds, 6);
  expect(last(metricNames.cost)).toBe(report.cost?.usd);
  expect(last(metricNames.costSoFar)).toBe(report.cost?.usd);
});

test('dimensions are the stack, and of a report the policy: nothing that there is without end', () => {
  expect(new Set(figures.map(({ namespace }) => namespace))).toEqual(new Set(['Baverly']));
  const sets = [...new Set(figures.map(({ dimensions }) => JSON.stringify(dimensions)))].sort();
  expect(sets).toEqual(['{"service":"Trial","policy":"nightly"}', '{"service":"Trial"}']);
  const byPolicy = figures.filter(({ dimensions }) => 'policy' in dimensions).map(({ name }) => name);
  expect(byPolicy).toContain(metricNames.unknownShare);
  expect(byPolicy).not.toContain(metricNames.ballsRobust);
});

test('each line of figures says which run it is about; a model is no dimension', () => {
  const lines = whole.lines.filter((line) => '_aws' in line);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.filter(({ run }) => run !== 'r')).toEqual([]);
  expect(lines.at(-1)).toMatchObject({ model: 'models/tiny.onnx', ...stack });
});

test('a run that fails is counted, and tells why in one line and in what it leaves', async () => {
  const failed = await lambdaRun(folder, 'f', (storage) =>
    storage.put(
      'runs/f/request.json',
      JSON.stringify({
        ...{ version: 1, model: 'models/none.onnx', dataset: 'datasets/tiny', mode: 'batch', secondsPerBall: 1 },
        ...{ epsilons: [{ text: '0.1', value: 0.1 }], seed: 0, workers: 1, acceptLowAccuracy: false },
      }),
    ),
  );
  expect(failed.result.status).toBe('FAILED');
  const lines = failed.lines.filter(({ level }) => level === 'ERROR');
  expect(lines).toEqual([
    expect.objectContaining({
      message: 'run failed',
      run: 'f',
      reason: 'MissingKeyError',
      problems: [expect.stringContaining('models/none.onnx')],
    }),
  ]);
  expect(figuresIn(failed.lines)).toEqual([
    { name: metricNames.runsFailed, namespace: 'Baverly', dimensions: stack, value: 1 },
  ]);
  figures.push(...figuresIn(failed.lines));
  expect(await getJson(fileStorage(folder), 'runs/f/failure.json')).toMatchObject({
    problems: [expect.stringContaining('models/none.onnx')],
  });
});

test('every name is that of a figure which the functions give', () => {
  expect([...new Set(figures.map(({ name }) => name))].sort()).toEqual(Object.values(metricNames).sort());
});

test('elsewhere than on Lambda nothing is written, and Powertools is not even loaded', () => {
  delete process.env.AWS_LAMBDA_FUNCTION_NAME;
  const written = jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    jest.isolateModules(() => {
      jest.doMock('@aws-lambda-powertools/metrics', () => {
        throw new Error('loaded');
      });
      const { countFailure, countRound } =
        require('../../lib/observe/metrics') as typeof import('../../lib/observe/metrics');
      countRound('r', { round: 0, batches: 1, failed: 0, usd: 1 });
      countFailure('r', 'Error');
    });
    expect(written).not.toHaveBeenCalled();
  } finally {
    written.mockRestore();
  }
});
