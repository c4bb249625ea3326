import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchBrowser, openPage } from '../../test/browser/browser';

const width = 1200;
const margin = 24;

/** Takes a picture of a report page, from the top to the end of the first row of counterexamples. */
export async function photograph(file: string, picture: string): Promise<void> {
  const browser = await launchBrowser();
  try {
    const { page } = await openPage(browser, pathToFileURL(file).href, { viewport: { width, height: 1400 } });
    const card = await page.locator('.gallery .card').first().boundingBox();
    const height = card === null ? 1400 : Math.ceil(card.y + card.height + margin);
    mkdirSync(path.dirname(picture), { recursive: true });
    await page.screenshot({ path: picture, fullPage: true, clip: { x: 0, y: 0, width, height } });
  } finally {
    await browser.close();
  }
}
