import { renderHtml } from '../../lib/report/html';
import type { BallVerdict, BatchSummary, Learned } from '../../lib/report/record';
import { roundSummaries } from '../../lib/report/rounds';
import { emptyPosterior, recordPulls } from '../../lib/schedule/bandit';
import { labelKey } from '../../lib/schedule/label-beliefs';
import { learnedSizes } from '../../lib/schedule/learned-sizes';
import { newRun } from '../schedule/simulation';
import { sampleReport } from './sample';

function batch(id: string, size: number, cpuSeconds = 1): BatchSummary {
  const round = Number(id.split('-')[0]);
  return { id, round, kind: 'first', epsilon: '0.01', label: 1, size, robust: 0, notRobust: 0, open: 0, cpuSeconds };
}

function settled(by: string, id: string, count: number): BallVerdict[] {
  const ball = { index: 0, label: 1, epsilon: '0.01', verdict: 'robust' as const, cpuSeconds: 0 };
  return Array.from({ length: count }, () => ({ ...ball, settledBy: by, batch: id }));
}

describe('the rounds of a run', () => {
  const batches = [batch('1-0', 1, 0.5), batch('0-0', 16), batch('0-1', 64, 3), batch('0-2', 2), batch('1-1', 8)];
  const balls = [
    ...settled('bound', '0-0', 10),
    ...settled('lemma', '0-0', 3),
    ...settled('bound', '0-1', 30),
    ...settled('anything else', '1-1', 2),
    ...settled('search', '1-0', 1),
    ...settled('prediction', 'of no mini-batch', 4),
    { index: 3, label: 1, epsilon: '0.01', verdict: 'unknown' as const, reason: 'time', cpuSeconds: 0, batch: '1-1' },
    { index: 4, label: 1, epsilon: '0.01', verdict: 'misclassified' as const, settledBy: 'prediction', cpuSeconds: 0 },
  ];

  test('are told apart by sizes, what was settled, and what settled it jointly or alone', () => {
    const [first, second, ...more] = roundSummaries({ batches, balls });
    expect(more).toEqual([]);
    expect(first).toEqual({
      round: 0,
      miniBatches: 3,
      sizes: { smallest: 2, median: 16, largest: 64 },
      tried: 82,
      settled: 43,
      cpuSeconds: 5,
      jointly: new Map([
        ['bound', 40],
        ['lemma', 3],
      ]),
      alone: 0,
    });
    expect(second).toMatchObject({ round: 1, tried: 9, settled: 3, cpuSeconds: 1.5, alone: 1 });
    expect(second.jointly).toEqual(new Map([['anything else', 2]]));
  });

  test('none where nothing was verified', () => {
    expect(roundSummaries({ batches: [], balls })).toEqual([]);
    expect(renderHtml(sampleReport({ batches: [] }), [])).not.toContain('id="rounds"');
  });

  test('the page has a column for whatever settled balls jointly, what settled most first', () => {
    const report = { ...sampleReport(), batches, balls };
    const table = /<table class="plain" id="rounds-table">.*?<\/table>/s.exec(renderHtml(report, []))![0];
    const cells = [...table.matchAll(/<t[hd]\b[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(cells.slice(0, 11)).toEqual(
      ['round', 'mini-batches', 'sizes', 'balls', 'settled', 'CPU', 'settled per CPU second'].concat([
        'bound',
        'lemma',
        'anything else',
        'alone',
      ]),
    );
    expect(cells.slice(11, 22)).toEqual(
      ['0', '3', '2 to 64, median 16', '82', '52.4 %', '5 s', '8.6'].concat(['40', '3', '0', '0']),
    );
  });
});

describe('what was learned about sizes', () => {
  const pull = (size: number, velocity: number) => ({ size, balls: 256, settled: 256, cpuSeconds: 256 / velocity });
  const once = recordPulls(emptyPosterior, '0.01', [pull(4, 50), pull(16, 200)]);
  const often = recordPulls(
    once,
    '0.01',
    Array.from({ length: 20 }, () => pull(16, 200)),
  );

  test('is a velocity for each size that was tried, in an interval that narrows', () => {
    const [few] = learnedSizes(newRun({ inputs: 1, bandit: once }));
    const [many] = learnedSizes(newRun({ inputs: 1, bandit: often }));
    expect(few.sizes.map(({ size, pulls }) => [size, pulls])).toEqual([
      [4, 1],
      [16, 1],
    ]);
    const width = ({ low, high }: { low: number; high: number }): number => high / low;
    expect(many.sizes[1].velocity / 200).toBeCloseTo(1, 1);
    expect(width(many.sizes[1])).toBeLessThan(0.5 * width(few.sizes[1]));
    for (const { low, velocity, high } of [...few.sizes, ...many.sizes]) {
      expect(low).toBeLessThan(velocity);
      expect(velocity).toBeLessThan(high);
    }
  });

  test("is the 90 % interval of Student's t, to two digits", () => {
    const [{ sizes }] = learnedSizes(newRun({ inputs: 1, bandit: recordPulls(emptyPosterior, '0.01', [pull(4, 50)]) }));
    // One pull: a = 2.5, b = 0.32, k = 1.1; the 95 % quantile with 5 degrees of freedom is 2.0150.
    const reach = 2.015 * Math.sqrt(0.32 / (2.5 * 1.1));
    expect(Math.log(sizes[0].high / sizes[0].velocity)).toBeCloseTo(reach, 2);
  });

  test('names the best size of each label', () => {
    const bandit = [7, 2].reduce((posterior, label) => {
      const best = label === 7 ? 16 : 4;
      const own = [4, 16].map((size) => pull(size, size === best ? 300 : 30));
      return recordPulls(recordPulls(posterior, '0.01', own), labelKey('0.01', label), own);
    }, emptyPosterior);
    expect(learnedSizes(newRun({ inputs: 1, bandit }))[0].labels).toEqual([
      { label: 2, size: 4 },
      { label: 7, size: 16 },
    ]);
  });

  const learned: Learned[] = [
    {
      epsilon: '0.01',
      sizes: [
        { size: 1, pulls: 2, velocity: 120, low: 60, high: 240 },
        { size: 16, pulls: 9, velocity: 900, low: 800, high: 1010 },
      ],
      labels: [
        { label: 0, size: 16 },
        { label: 1, size: 1 },
      ],
    },
  ];

  test('is in the report, as figures and as a picture with its uncertainty', () => {
    const report = sampleReport({ learned });
    expect(report.learned).toEqual(learned);
    const page = renderHtml(report, []);
    expect(page).toContain('at 0.01 1: 120 (60 to 240), 16: 900 (800 to 1,010)');
    expect(page).toContain('Believed to be best by label: at 0.01 16 for label 0, 1 for label 1.');
    const figure = /<figure class="chart" id="velocity">.*?<\/figure>/s.exec(page)![0];
    // Two sizes, three strokes each, in either drawing.
    expect(figure.match(/stroke="var\(--robust\)" stroke-width="1\.5"/g)).toHaveLength(12);
    expect(figure).not.toMatch(/NaN|undefined/);
  });

  test('is left out where nothing was learned', () => {
    expect(sampleReport({ learned: [] })).not.toHaveProperty('learned');
    expect(learnedSizes(newRun({ inputs: 1 }))).toEqual([]);
    expect(renderHtml(sampleReport(), [])).not.toContain('id="velocity"');
  });
});
