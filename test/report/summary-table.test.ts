import { stripVTControlCharacters } from 'node:util';
import { formatInterval, formatNumber, formatSeconds, formatShare, roundDown } from '../../lib/report/format';
import { summaryJson, summaryTable, wantsColour } from '../../lib/report/summary-table';
import { sampleBalls, sampleReport } from './sample';

describe('summaryTable', () => {
  test('has one row per radius and their sum', () => {
    expect(summaryTable(sampleReport(), false)).toBe(
      [
        '┌─────────┬────────┬────────────┬─────────┬───────────────┬────────────────────┬───────┐',
        '│ epsilon │ robust │ not robust │ unknown │ misclassified │ certified accuracy │   CPU │',
        '├─────────┼────────┼────────────┼─────────┼───────────────┼────────────────────┼───────┤',
        '│ 0.01    │      3 │          0 │       0 │             1 │             75.0 % │   1 s │',
        '│ 8/255   │      1 │          1 │       1 │             1 │   25.0 % to 50.0 % │ 4.5 s │',
        '│ all     │      4 │          1 │       1 │             2 │                    │ 5.5 s │',
        '└─────────┴────────┴────────────┴─────────┴───────────────┴────────────────────┴───────┘',
        '4 inputs, clean accuracy 75.0 %; 5.5 s of CPU in 3.25 s, 2 rounds',
        'unknown because of: time 1',
      ].join('\n'),
    );
  });

  test('colour changes nothing but the colour', () => {
    const coloured = summaryTable(sampleReport(), true);
    expect(coloured).not.toBe(summaryTable(sampleReport(), false));
    expect(stripVTControlCharacters(coloured)).toBe(summaryTable(sampleReport(), false));
  });

  test('says that a run is incomplete or failed, and why, without passing on control characters', () => {
    const balls = sampleBalls.slice(1);
    const text = summaryTable(sampleReport({ balls, status: 'incomplete', problems: ['over budget'] }), false);
    expect(text).toMatch(/the run is incomplete\n1 ball without a verdict\n- over budget$/);
    expect(summaryTable(sampleReport({ balls, status: 'failed', problems: ['\u001b[2Jx'] }), false)).toMatch(
      /the run failed\n1 ball without a verdict\n- {2}\[2Jx$/,
    );
  });
});

test('colours only go to a terminal, and not with NO_COLOR', () => {
  const terminal = { isTTY: true };
  expect(wantsColour(terminal, {})).toBe(true);
  expect(wantsColour(terminal, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour(terminal, { TERM: 'dumb' })).toBe(false);
  expect(wantsColour({}, {})).toBe(false);
});

test('summaryJson carries counts and intervals, no balls', () => {
  const summary = summaryJson(sampleReport());
  expect(summary).toMatchObject({
    run: '2026-11-22-a',
    dataset: 'datasets/digits',
    datasetName: 'digits-test.npz',
    status: 'done',
    inputs: 4,
    unknownReasons: { time: 1 },
    missing: 0,
    cpuSeconds: 5.5,
  });
  expect(summary.radii[1]).toMatchObject({ epsilon: '8/255', certifiedAccuracy: [0.25, 0.5], cpuSeconds: 4.5 });
  expect(JSON.stringify(summary)).not.toContain('margin');
});

describe('numbers', () => {
  test('a share says 0 % and 100 % only where it is exact', () => {
    expect([0, 1, 0.5, 1e-5, 1 - 1e-5, 0.123].map(formatShare)).toEqual([
      '0 %',
      '100 %',
      '50.0 %',
      '< 0.1 %',
      '> 99.9 %',
      '12.3 %',
    ]);
    expect(formatInterval([0.5, 0.5])).toBe('50.0 %');
  });

  test('seconds', () => {
    expect([0, 0.01234, 12.34, 99.96, 185.2, 3_599.6, 7_620].map(formatSeconds)).toEqual([
      '0 s',
      '0.0123 s',
      '12.3 s',
      '1 min 40 s',
      '3 min 05 s',
      '1 h 00 min',
      '2 h 07 min',
    ]);
    expect(formatNumber(12_345)).toBe('12,300');
  });

  test.each([
    [0.19999, 2, 0.19],
    [-0.12341, 3, -0.124],
    [0.2, 3, 0.2],
    [9.999e-9, 2, 9.9e-9],
    [1.5, 4, 1.5],
    [0, 4, 0],
  ])('roundDown(%d, %d) is %d, never above', (value, digits, expected) => {
    expect(roundDown(value, digits)).toBe(expected);
    expect(roundDown(value, digits)).toBeLessThanOrEqual(value);
  });
});
