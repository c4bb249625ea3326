import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { renderHtml } from '../../lib/report/html';
import type { Report } from '../../lib/report/record';
import { totalCounts } from '../../lib/report/totals';
import { hostile, hostileReport } from '../report/hostile';
import { sampleBalls, sampleReport } from '../report/sample';
import { launchBrowser, type Misdeeds, openPage } from './browser';
import { galleryOf, largeReport } from './large-report';

let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'baverly-report-'));
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (process.env.BAVERLY_KEEP_SCREENSHOTS === undefined) rmSync(folder, { recursive: true, force: true });
  else process.stderr.write(`screenshots: ${folder}\n`);
});

function saved(name: string, report: Report, gallery = galleryOf(report)): string {
  const file = path.join(folder, `${name}.html`);
  writeFileSync(file, renderHtml(report, gallery));
  return pathToFileURL(file).href;
}

describe('a report of 20,000 balls', () => {
  const report = largeReport();
  let page: Page;
  let misdeeds: Misdeeds;
  let table: Locator;

  beforeAll(async () => {
    ({ page, misdeeds } = await openPage(browser, saved('large', report)));
    table = page.locator('#balls-table');
  });

  afterEach(async () => {
    expect(misdeeds).toEqual({ messages: [], requests: [] });
    await table.getByRole('searchbox').fill('');
    for (const select of await table.locator('select').all()) await select.selectOption('');
  });

  afterAll(() => page?.close());

  /** The shown cells of a column. */
  function column(title: string): Promise<string[]> {
    return table.evaluate((root, wanted) => {
      const titles = [...root.querySelectorAll('th button')].map((button) => button.textContent);
      const k = titles.indexOf(wanted) + 1;
      return [...root.querySelectorAll(`tbody td:nth-child(${k})`)].map((cell) => cell.textContent ?? '');
    }, title);
  }

  const status = () => table.locator('.status').textContent();
  const sort = (title: string) => table.getByRole('button', { name: title, exact: true }).click();

  test('shows the counts of the report', async () => {
    const counts = totalCounts(report);
    const tiles = await page.locator('.tile-count').allTextContents();
    expect(tiles.map((text) => Number(text.replaceAll(',', '')))).toEqual(Object.values(counts));
    expect(Object.values(counts).every((count) => count > 0)).toBe(true);
    const rows = await page.locator('#radii tbody tr').allInnerTexts();
    expect(rows).toHaveLength(5);
    report.radii.forEach(({ epsilon, robust, notRobust, unknown, misclassified }, k) => {
      const cells = rows[k].split(/\s*\t\s*/);
      expect(cells[0].trim()).toBe(epsilon);
      const shown = cells.slice(1).map((cell) => Number(cell.replaceAll(',', '')));
      expect(shown.filter((value) => !Number.isNaN(value))).toEqual([robust, notRobust, unknown, misclassified]);
    });
  });

  test('keeps at most a page of rows in the document', async () => {
    expect(await status()).toBe('20,000 balls');
    expect(await table.locator('tbody tr').count()).toBe(100);
    await table.getByRole('button', { name: 'Last' }).click();
    expect(await table.locator('.place').textContent()).toBe('page 200 of 200');
    expect((await column('input')).at(-1)).toBe('3999');
    await expect(table.getByRole('button', { name: 'Next' }).isDisabled()).resolves.toBe(true);
    await table.getByRole('button', { name: 'Previous' }).click();
    expect(await table.locator('.place').textContent()).toBe('page 199 of 200');
    await table.getByRole('button', { name: 'First' }).click();
    expect((await column('input'))[0]).toBe('0');
  });

  test('sorts by a header, both ways, with absent values last', async () => {
    const margins = report.balls.flatMap(({ margin }) => (margin === undefined ? [] : [margin])).sort((a, b) => a - b);
    await sort('margin ≥');
    const ascending = (await column('margin ≥')).map(Number);
    expect(ascending).toEqual(margins.slice(0, 100).map((value) => expect.closeTo(value, 4)));
    const header = table.getByRole('columnheader', { name: 'margin ≥' });
    expect(await header.getAttribute('aria-sort')).toBe('ascending');
    await sort('margin ≥');
    expect(Number((await column('margin ≥'))[0])).toBeCloseTo(margins.at(-1) ?? 0, 4);
    expect(await header.getAttribute('aria-sort')).toBe('descending');
    await table.getByRole('button', { name: 'Last' }).click();
    expect(new Set(await column('margin ≥'))).toEqual(new Set(['']));
    await sort('verdict');
    expect(await header.getAttribute('aria-sort')).toBe('none');
    expect(new Set(await column('verdict'))).toEqual(new Set(['robust']));
    await sort('epsilon');
    expect((await column('epsilon'))[0]).toBe('0.005');
    await sort('input');
  });

  test('filters by words, by column and by choice', async () => {
    const search = table.getByRole('searchbox');
    const counts = totalCounts(report);
    const shows = async (text: string, count: number) => {
      await search.fill(text);
      expect(await status()).toBe(`${count.toLocaleString('en-US')} of 20,000 balls`);
    };
    await shows('not-robust', counts['not-robust']);
    expect(new Set(await column('verdict'))).toEqual(new Set(['not robust']));
    await shows('robust', counts.robust);
    await shows('Unknown', counts.unknown);
    await shows('input:12', 5);
    await shows('input:12 epsilon:0.02', 1);
    await shows('run label:7', report.balls.filter((b) => b.reason !== undefined && b.label === 7).length);
    await shows('label:', 0);
    await shows('nothing-like-this', 0);
    expect(await table.locator('.place').textContent()).toBe('page 1 of 1');
    await search.fill('label:3');
    await table.getByLabel('Verdict').selectOption('misclassified');
    await table.getByLabel('Epsilon').selectOption('0.05');
    const expected = report.balls.filter((b) => b.label === 3 && b.verdict === 'misclassified' && b.epsilon === '0.05');
    expect(await status()).toBe(`${expected.length} of 20,000 balls`);
    expect(await column('input')).toEqual(expected.map(({ index }) => String(index)));
  });

  test('answers a click within a fraction of a second', async () => {
    const milliseconds = await table.evaluate((root) => {
      const timed = (action: () => void): number => {
        const start = performance.now();
        action();
        root.getBoundingClientRect();
        return performance.now() - start;
      };
      const search = root.querySelector<HTMLInputElement>('input[type="search"]')!;
      const headers = [...root.querySelectorAll<HTMLButtonElement>('th button')].map((button) =>
        timed(() => button.click()),
      );
      const typed = [...'not-robust label:7'].map((character) =>
        timed(() => {
          search.value += character;
          search.dispatchEvent(new Event('input'));
        }),
      );
      return Math.max(...headers, ...typed);
    });
    expect(milliseconds).toBeLessThan(500);
  });

  test('decodes every picture, and scales it without smoothing', async () => {
    const pictures = await page.locator('.gallery img').evaluateAll((images) =>
      images.map((image) => {
        const { naturalWidth, naturalHeight, complete } = image as HTMLImageElement;
        return [naturalWidth, naturalHeight, complete, getComputedStyle(image).imageRendering];
      }),
    );
    const sized = (width: number, height: number) => Array(3).fill([width, height, true, 'pixelated']);
    expect(pictures).toEqual([...sized(28, 28), ...sized(5, 1), ...sized(32, 32)]);
  });

  test('lists the mini-batches', async () => {
    const batches = page.locator('#batches-table');
    expect(await batches.locator('.status').textContent()).toBe('1,250 mini-batches');
    await batches.getByRole('searchbox').fill('epsilon:0.01 label:4');
    expect(await batches.locator('.status').textContent()).toBe('25 of 1,250 mini-batches');
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 400],
    ['dark', 400],
  ] as const)('fits a %s screen of %d pixels', async (colorScheme, width) => {
    const url = pathToFileURL(path.join(folder, 'large.html')).href;
    const opened = await openPage(browser, url, { colorScheme, viewport: { width, height: 900 } });
    await opened.page.screenshot({ path: path.join(folder, `${colorScheme}-${width}.png`), fullPage: true });
    const layout = await opened.page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - window.innerWidth,
      background: getComputedStyle(document.body).backgroundColor,
      charts: [...document.querySelectorAll('.drawing')].filter((e) => e.getBoundingClientRect().width > 0).length,
    }));
    await opened.page.close();
    const background = colorScheme === 'dark' ? 'rgb(17, 21, 26)' : 'rgb(246, 247, 249)';
    expect(layout).toEqual({ overflow: 0, background, charts: 1 });
    expect(opened.misdeeds).toEqual({ messages: [], requests: [] });
  });
});

test('hostile names are inert text', async () => {
  const report = hostileReport();
  const item = { ...galleryOf(largeReport())[0], epsilon: hostile };
  const { page, misdeeds } = await openPage(browser, saved('hostile', report, [item]));
  await page.locator('#balls-table').getByRole('searchbox').fill('not-robust');
  await page.locator('#balls-table').getByRole('button', { name: 'epsilon' }).click();
  const found = await page.evaluate(() => ({
    hacked: 'hacked' in window,
    scripts: document.scripts.length,
    images: [...document.images].map((image) => image.src.slice(0, 15)),
    sections: [...document.querySelectorAll('main > section')].map(({ id }) => id),
  }));
  expect(found).toEqual({
    hacked: false,
    scripts: 3,
    images: Array(3).fill('data:image/png;'),
    sections: ['overview', 'reasons', 'counterexamples', 'balls', 'rounds', 'batches', 'guide', 'run'],
  });
  expect(await page.getByRole('alert').innerText()).toContain(hostile);
  expect(await page.locator('#balls-table option').allTextContents()).toContain(hostile);
  expect(await page.title()).toBe(`Robustness of models/${hostile} on ${hostile}`);
  await page.setViewportSize({ width: 400, height: 900 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(400);
  expect(misdeeds).toEqual({ messages: [], requests: [] });
  await page.close();
});

test('an unfinished run is prominent', async () => {
  const report = sampleReport({ status: 'incomplete', balls: sampleBalls.slice(0, 5), problems: ['budget used up'] });
  const { page, misdeeds } = await openPage(browser, saved('incomplete', report, []));
  const alert = page.getByRole('alert');
  expect(await alert.isVisible()).toBe(true);
  expect(await alert.innerText()).toMatch(/incomplete\n+3 balls of 8 have no verdict.*\n+budget used up/);
  expect((await alert.boundingBox())?.y).toBeLessThan((await page.locator('.tiles').boundingBox())?.y ?? 0);
  expect(misdeeds.messages).toEqual([]);
  await page.close();
});

test('the policy of the page stops what tries to get out', async () => {
  const { page, misdeeds } = await openPage(browser, saved('policy', sampleReport(), []));
  const blocked = await page.evaluate(async () => {
    const violations: string[] = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    const image = document.body.appendChild(document.createElement('img'));
    image.src = 'http://127.0.0.1:9/x.png';
    const script = document.body.appendChild(document.createElement('script'));
    script.textContent = 'window.hacked = 1';
    await fetch('http://127.0.0.1:9/').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { violations: violations.sort(), hacked: 'hacked' in window };
  });
  expect(blocked).toEqual({ violations: ['connect-src', 'img-src', 'script-src-elem'], hacked: false });
  expect(misdeeds.messages.length).toBeGreaterThan(0);
  await page.close();
});
