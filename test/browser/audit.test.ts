import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { renderHtml } from '../../lib/report/html';
import type { AuditView } from '../../lib/report/page/audit';
import { hostileAudit, sampleAudit } from '../report/audit-sample';
import { sampleReport } from '../report/sample';
import { launchBrowser, openPage } from './browser';

let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'baverly-audit-'));
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  if (process.env.BAVERLY_KEEP_SCREENSHOTS === undefined) rmSync(folder, { recursive: true, force: true });
  else process.stderr.write(`screenshots: ${folder}\n`);
});

async function open(name: string, audit: AuditView) {
  const file = path.join(folder, `${name}.html`);
  writeFileSync(file, renderHtml(sampleReport(), [], audit));
  const opened = await openPage(browser, pathToFileURL(file).href);
  await opened.page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  return opened;
}

test('the section of a policy: its picture is seen, its table filters', async () => {
  const { page, misdeeds } = await open('audit', sampleAudit());
  expect(await page.locator('#history .wide svg').isVisible()).toBe(true);
  const table = page.locator('#changes');
  expect(await table.locator('tbody tr').count()).toBe(2);
  await table.locator('label.choice', { hasText: 'Change' }).locator('select').selectOption({ label: 'newly broken' });
  expect(await table.locator('tbody tr').allTextContents()).toEqual([expect.stringContaining('not robust')]);
  expect(misdeeds).toEqual({ messages: [], requests: [] });
  await page.close();
});

test('hostile names run nothing and ask for nothing', async () => {
  const { page, misdeeds } = await open('hostile', hostileAudit());
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(misdeeds).toEqual({ messages: [], requests: [] });
  await page.close();
});
