import { chooseGallery, type GalleryItem, renderHtml } from '../../lib/report/html';
import type { BallVerdict, Report } from '../../lib/report/record';
import { writeReport } from '../../lib/report/write';
import { getText } from '../../lib/storage/storage';
import { memoryStorage } from '../support/memory-storage';
import { hostile, hostileReport } from './hostile';
import { sampleBalls, sampleReport } from './sample';

const item: GalleryItem = {
  index: 1,
  label: 2,
  predicted: 3,
  epsilon: '8/255',
  original: new Float64Array(16).fill(0.5),
  counterexample: new Float64Array(16).fill(0.5).with(3, 0.52).with(4, 0.47),
  shape: [1, 4, 4],
};

/** The text of a page as a reader sees it, roughly: without scripts, styles and tags. */
function textOf(page: string): string {
  return page
    .replace(/<(script|style)\b.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

describe('renderHtml', () => {
  test('shows the counts, intervals, reasons and parameters of the report', () => {
    const text = textOf(renderHtml(sampleReport(), [item]));
    expect(text).toContain('digits.onnx done on digits-test.npz , 4 inputs at 2 radii, 0.01, 8/255');
    expect(text).toContain('data set digits-test.npz ( datasets/digits )');
    expect(text).toContain('robust 4 50.0 % of 8 balls not robust 1 12.5 % of 8 balls unknown 1');
    expect(text).toMatch(/0\.01 75\.0 % 3 0 0 1 1 s/);
    expect(text).toMatch(/8\/255 25\.0 % to 50\.0 % 1 1 1 1 4\.5 s/);
    expect(text).toContain('time 1 The time per ball was used up.');
    expect(text).toContain('2 → becomes 3 input 1 · ε 8/255');
    expect(text).toContain('2 of 16 values changed, by at most 0.03');
    expect(text).toContain('a'.repeat(64));
    expect(text).toContain('raw / 255, in [0, 1]');
    expect(text).toContain('(pixel − 0.1307) / 0.3081');
    expect(text).not.toMatch(/incomplete|failed|undefined|NaN|\[object/);
  });

  test('mini-batches are summed by kind', () => {
    const text = textOf(renderHtml(sampleReport(), []));
    expect(text).toMatch(/first 4 1 4 0 0 1\.5 s 2\.67/);
    expect(text).toMatch(/retry 1 1 0 0 1 3\.5 s 0/);
  });

  test.each(['incomplete', 'failed'] as const)(
    'a run that is %s says so before anything else, with its problems',
    (status) => {
      const balls = sampleBalls.slice(1);
      const text = textOf(renderHtml(sampleReport({ status, balls, problems: ['disk full', 'no model'] }), []));
      const said = text.indexOf(status === 'failed' ? 'This run failed' : 'This run is incomplete');
      expect(said).toBeGreaterThan(0);
      expect(said).toBeLessThan(text.indexOf('50.0 %'));
      expect(text).toContain('1 ball of 8 has no verdict');
      expect(text).toContain('disk full no model');
    },
  );

  test('leaves out what a run does not have', () => {
    const failed = renderHtml(sampleReport({ status: 'failed', balls: [], batches: [], problems: ['no'] }), []);
    expect(failed).not.toMatch(/id="(counterexamples|batches|reasons)"/);
    expect(failed).toContain('id="balls"');
  });

  test('asks for nothing from the network, and allows no script but its own', () => {
    const page = renderHtml(sampleReport(), [item]);
    const links = [...page.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map(([, target]) => target);
    expect(links).toHaveLength(3);
    for (const link of links) expect(link).toMatch(/^data:image\/png;base64,/);
    expect(page.replace(/http:\/\/www\.w3\.org\/(2000\/svg|1999\/xlink)/g, '')).not.toMatch(
      /https?:|url\((?!#)|@import/,
    );
    expect(page).toMatch(/default-src &#39;none&#39;; img-src data:;[^"]*script-src &#39;sha256-[\w+/]{43}=&#39;/);
  });

  test('escapes every text of the user', () => {
    const page = renderHtml(hostileReport(), [{ ...item, epsilon: hostile }]);
    expect(page).not.toContain('<img src=x');
    expect(page.match(/<script\b/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).toContain('&lt;img src=x');
  });

  test('draws the chart twice, with its own ids, and the same each time', () => {
    const page = renderHtml(sampleReport(), []);
    expect(renderHtml(sampleReport(), [])).toBe(page);
    const svgs = page.match(/<svg\b.*?<\/svg>/gs) ?? [];
    expect(svgs).toHaveLength(2);
    for (const svg of svgs) {
      expect(svg).toContain('>8/255</text>');
      expect(svg).not.toMatch(/<style|class=/);
    }
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/url\(#([^)]*)\)/g)) expect(ids).toContain(id);
  });

  test('where nothing is open, the certified line lies above the one that says so', () => {
    const balls = sampleBalls.filter(({ epsilon }) => epsilon === '0.01');
    const { request } = sampleReport().run;
    const run = { ...sampleReport().run, request: { ...request, epsilons: request.epsilons.slice(0, 1) } };
    const [svg] = renderHtml(sampleReport({ run, balls }), []).match(/<svg\b.*?<\/svg>/s)!;
    const lineOf = (name: string) => svg.search(new RegExp(`fill="none"[^>]* stroke="var\\(--${name}\\)"`));
    expect(lineOf('unknown')).toBeGreaterThan(0);
    expect(lineOf('robust')).toBeGreaterThan(lineOf('unknown'));
  });

  test('a tie is called a tie', () => {
    expect(textOf(renderHtml(sampleReport(), [{ ...item, predicted: 2 }]))).toContain('2 → becomes tie');
  });
});

describe('chooseGallery', () => {
  const ball = (index: number, label: number, epsilon: string): BallVerdict => ({
    ...sampleBalls[5],
    index,
    label,
    epsilon,
  });
  const many = Array.from({ length: 600 }, (_, k) =>
    ball(Math.floor(k / 3), Math.floor(k / 3) % 10, `0.${(k % 3) + 1}`),
  );

  test('spreads over labels and radii', () => {
    const chosen = chooseGallery(many, 24);
    expect(chosen).toHaveLength(24);
    const count = (of: (b: BallVerdict) => unknown) =>
      chosen.map(of).filter((v, k, all) => all.indexOf(v) === k).length;
    expect(count((b) => b.label)).toBe(10);
    expect(count((b) => `${b.label} ${b.epsilon}`)).toBe(24);
    for (const epsilon of ['0.1', '0.2', '0.3']) {
      expect(chosen.filter((b) => b.epsilon === epsilon).length).toBeGreaterThanOrEqual(7);
    }
  });

  test('takes all when there are few, in the order of labels and radii, and only refuted balls', () => {
    const few = [ball(0, 7, '0.1'), ball(0, 7, '0.2'), ball(3, 1, '0.2'), ball(9, 1, '0.1'), ball(5, 1, '0.1')];
    expect(chooseGallery([...sampleReport().balls.filter((b) => b.verdict !== 'not-robust'), ...few], 24)).toEqual(
      [3, 4, 2, 0, 1].map((k) => few[k]),
    );
    expect(chooseGallery(sampleReport().balls, 0)).toEqual([]);
  });

  test('fills up from one label when there is no other', () => {
    expect(
      chooseGallery(
        many.filter(({ label }) => label === 4),
        24,
      ),
    ).toHaveLength(24);
  });
});

test('writeReport puts the three files below the prefix', async () => {
  const storage = memoryStorage();
  const report: Report = sampleReport();
  const keys = await writeReport(storage, 'runs/a', report, [item]);
  expect((await storage.list('')).map(({ key }) => key)).toEqual([keys.csv, keys.html, keys.json]);
  expect(await getText(storage, 'runs/a/report.html')).toBe(renderHtml(report, [item]));
  expect(await getText(storage, 'runs/a/report.json')).toContain('"status": "done"');
  expect(await getText(storage, 'runs/a/report.csv')).toMatch(/^index,label,/);
});
