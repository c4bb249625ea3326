import { buildReport } from '../../lib/report/build';
import { InvalidReportError, problemsOf } from '../../lib/report/check';
import { radiusSummaries } from '../../lib/report/radii';
import { reportSchema } from '../../lib/report/record';
import { sampleBalls, sampleParts, sampleReport, sampleRun } from './sample';

function problemsOfBuild(changes: Parameters<typeof sampleParts>[0]): readonly string[] {
  try {
    buildReport(sampleParts(changes));
  } catch (error) {
    if (error instanceof InvalidReportError) return error.problems;
    throw error;
  }
  return [];
}

const balls = (change: (ball: (typeof sampleBalls)[number], k: number) => object) =>
  sampleBalls.map((ball, k) => ({ ...ball, ...change(ball, k) }) as (typeof sampleBalls)[number]);

describe('buildReport', () => {
  test('satisfies its schema', () => {
    expect(reportSchema.parse(sampleReport())).toEqual(sampleReport());
  });

  test('counts verdicts per radius, and unknown balls widen the interval', () => {
    expect(sampleReport().radii).toEqual([
      {
        epsilon: '0.01',
        value: 0.01,
        robust: 3,
        notRobust: 0,
        unknown: 0,
        misclassified: 1,
        certifiedAccuracy: [0.75, 0.75],
      },
      {
        epsilon: '8/255',
        value: 8 / 255,
        robust: 1,
        notRobust: 1,
        unknown: 1,
        misclassified: 1,
        certifiedAccuracy: [0.25, 0.5],
      },
    ]);
  });

  test('a ball without a verdict is as open as an unknown one', () => {
    const [, radius] = radiusSummaries(sampleRun(), sampleBalls.slice(0, 6));
    expect(radius.unknown).toBe(0);
    expect(radius.certifiedAccuracy).toEqual([0.25, 0.75]);
    expect(radiusSummaries(sampleRun(), [])[0].certifiedAccuracy).toEqual([0, 1]);
  });

  test('orders balls by input, then by radius as requested', () => {
    const report = sampleReport({ balls: [...sampleBalls].reverse() });
    expect(report.balls.map(({ index, epsilon }) => `${index}@${epsilon}`)).toEqual(
      [0, 1, 2, 3].flatMap((index) => [`${index}@0.01`, `${index}@8/255`]),
    );
  });

  test('done needs every ball; incomplete and failed do not', () => {
    const missing = { balls: sampleBalls.slice(1) };
    expect(problemsOfBuild(missing)).toEqual(['status is done, but 1 balls at 0.01 have no verdict']);
    expect(problemsOfBuild({ ...missing, status: 'incomplete' })).toEqual([]);
    expect(problemsOfBuild({ balls: [], status: 'failed', problems: ['no'] })).toEqual([]);
  });

  test('lists every contradiction at once', () => {
    const contradictory = [
      ...balls((ball) => {
        if (ball.verdict === 'unknown') return { reason: undefined };
        if (ball.verdict === 'not-robust') return { witness: undefined };
        return ball.verdict === 'misclassified' ? { predicted: undefined } : {};
      }),
      sampleBalls[0],
      { ...sampleBalls[0], epsilon: '0.3' },
    ];
    expect(problemsOfBuild({ balls: contradictory })).toEqual([
      'ball 0 at 0.01: has two verdicts',
      'ball 0 at 0.3: the run has no such radius',
      'ball 1 at 8/255: not-robust without a witness',
      'ball 2 at 0.01: misclassified without the predicted class',
      'ball 2 at 8/255: misclassified without the predicted class',
      'ball 3 at 8/255: unknown without a reason',
    ]);
  });

  test('refuses numbers that JSON cannot carry, and counts problems beyond the first twenty', () => {
    expect(problemsOfBuild({ balls: balls((_, k) => (k === 4 ? { margin: Number.NaN } : {})) })[0]).toMatch(
      /^balls\[1\]\.margin: /,
    );
    const many = Array.from({ length: 30 }, (_, index) => ({ ...sampleBalls[0], index, cpuSeconds: Infinity }));
    const problems = problemsOfBuild({ balls: many, status: 'incomplete' });
    expect(problems).toHaveLength(21);
    expect(problems[20]).toBe('and 10 more problems');
  });
});

describe('problemsOf', () => {
  test.each([null, 3, [], {}, { balls: 1, batches: [] }])('refuses %j', (value) => {
    expect(problemsOf(value)).not.toEqual([]);
  });

  test('refuses fields that the schema does not know', () => {
    expect(problemsOf({ ...sampleReport(), extra: 1 })).toHaveLength(1);
    const [ball, ...others] = sampleReport().balls;
    expect(problemsOf({ ...sampleReport(), balls: [{ ...ball, extra: 1 }, ...others] })).toEqual([
      expect.stringMatching(/^balls\[0\]: .*extra/),
    ]);
    expect(problemsOf({ ...sampleReport(), batches: [{}] }).length).toBeGreaterThan(1);
  });

  test('refuses counts that are not those of the balls', () => {
    const { radii, ...report } = sampleReport();
    const better = radii.map((radius) => ({ ...radius, robust: radius.robust + 1 }));
    expect(problemsOf({ ...report, radii: better })).toEqual(['radii: not the counts of the balls']);
    expect(problemsOf({ ...report, radii: radii.slice(1) })).toContain('radii: not the counts of the balls');
  });
});
