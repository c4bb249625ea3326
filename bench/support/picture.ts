import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchBrowser, openPage } from '../../test/browser/browser';

/** Takes a picture of the top of a report page, as a reader sees it on opening. */
export async function photograph(page: string, picture: string): Promise<void> {
  const browser = await launchBrowser();
  try {
    const opened = await openPage(browser, pathToFileURL(page).href, { viewport: { width: 1200, height: 1500 } });
    mkdirSync(path.dirname(picture), { recursive: true });
    await opened.page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}
