import { parse } from 'csv-parse/sync';
import { BadInputError } from '../../lib/errors';
import { csvColumns, reportCsv } from '../../lib/report/csv';
import { encodePieces } from '../../lib/report/encode';
import { readReport, reportJson, reportKeys } from '../../lib/report/json';
import { parseReport } from '../../lib/report/parse';
import type { BallVerdict } from '../../lib/report/record';
import { MissingKeyError } from '../../lib/storage/storage';
import { memoryStorage } from '../support/memory-storage';
import { sampleReport, sampleRun } from './sample';

function largeReport(inputs: number) {
  const run = sampleRun({ inputs });
  const balls = Array.from(
    { length: inputs },
    (_, index): BallVerdict => ({
      index,
      label: index % 10,
      epsilon: '0.01',
      verdict: 'robust',
      settledBy: 'bound',
      cpuSeconds: 0.0123,
      margin: 1 / (index + 1),
    }),
  );
  return sampleReport({ run, balls, status: 'incomplete' });
}

describe('report.json', () => {
  test('comes back as it was, across pieces too', async () => {
    for (const report of [
      sampleReport(),
      sampleReport({ balls: [], batches: [], status: 'failed' }),
      largeReport(2_001),
    ]) {
      const storage = memoryStorage([['runs/a/report.json', reportJson(report)]]);
      expect(await readReport(storage, 'runs/a/')).toEqual(report);
    }
  });

  test('too large for a text is read by lines, to the same value; one that is cut short is refused', () => {
    const parts = [
      {},
      { batches: [] },
      { balls: [], status: 'failed' as const },
      { balls: [], batches: [], status: 'failed' as const },
    ];
    for (const report of [...parts.map(sampleReport), largeReport(50)]) {
      expect(parseReport(reportJson(report), 0)).toEqual(report);
    }
    const pretty = Buffer.from(JSON.stringify(sampleReport(), null, 2));
    expect(parseReport(pretty, 0)).toEqual(sampleReport());
    const cut = reportJson(sampleReport());
    expect(() => parseReport(cut.subarray(0, cut.length - 40), 0)).toThrow(SyntaxError);
  });

  test('has one line per ball and per mini-batch', () => {
    const lines = reportJson(sampleReport()).toString().split('\n');
    expect(lines.filter((line) => line.startsWith('{"index":'))).toHaveLength(8);
    expect(lines.filter((line) => line.startsWith('{"id":'))).toHaveLength(6);
  });

  test('of another run is refused with every problem', async () => {
    const put = (body: string) => memoryStorage([['a/report.json', body]]);
    await expect(readReport(put('{'), 'a')).rejects.toThrow(BadInputError);
    await expect(readReport(put('{"version": 2}'), 'a')).rejects.toMatchObject({
      subject: 'a/report.json',
      problems: expect.arrayContaining([expect.stringContaining('version'), expect.stringContaining('balls')]),
    });
    await expect(readReport(put('{}'), 'b')).rejects.toThrow(MissingKeyError);
  });

  test('keys ignore the final slash of the prefix', () => {
    expect(reportKeys('runs/a/')).toEqual(reportKeys('runs/a'));
    expect(reportKeys('runs/a').html).toBe('runs/a/report.html');
  });
});

describe('report.csv', () => {
  test('has the fields of a ball as columns and parses back', () => {
    const report = sampleReport();
    const rows: Record<string, string>[] = parse(reportCsv(report), { columns: true });
    expect(Object.keys(rows[0])).toEqual(csvColumns);
    expect(csvColumns.slice(0, 4)).toEqual(['index', 'label', 'epsilon', 'verdict']);
    const numbers = new Set(['index', 'label', 'cpuSeconds', 'margin', 'predicted']);
    const balls = rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([key, text]) =>
          text === '' ? [] : [[key, numbers.has(key) ? Number(text) : text]],
        ),
      ),
    );
    expect(balls).toEqual(report.balls);
  });

  test('quotes what needs quoting', () => {
    const epsilons = [{ text: 'a,"b"\nc', value: 0.1 }];
    const run = sampleRun({ request: { ...sampleRun().request, epsilons }, inputs: 1 });
    const ball = { ...sampleReport().balls[0], epsilon: epsilons[0].text };
    const rows = parse(reportCsv(sampleReport({ run, balls: [ball] })), { columns: true }) as Record<string, string>[];
    expect(rows.map(({ epsilon }) => epsilon)).toEqual([epsilons[0].text]);
  });

  test('has its header once and one line per ball across pieces', () => {
    const lines = reportCsv(largeReport(20_001)).toString().trimEnd().split('\n');
    expect(lines).toHaveLength(20_002);
    expect(lines.filter((line) => line.startsWith('index,'))).toHaveLength(1);
  });
});

describe('encodePieces', () => {
  test('joins pieces as UTF-8', () => {
    expect(encodePieces(() => ['ε', '', ' ≤ 0.1']).toString()).toBe('ε ≤ 0.1');
  });

  test.each([[['a', 'bc']], [['abcd']], [['a']]])('refuses pieces that change between the passes: %j', (second) => {
    const passes = [['ab'], second];
    expect(() => encodePieces(() => passes.shift() ?? [])).toThrow(RangeError);
  });
});
