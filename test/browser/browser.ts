import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** A headless Chromium: `$CHROMIUM`, or where Debian installs it. */
export function launchBrowser(): Promise<Browser> {
  if (!existsSync(executablePath)) {
    throw new Error(`the browser suite needs Chromium: nothing at ${executablePath}; set CHROMIUM to its path`);
  }
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What a page did that it must not: errors, warnings and dialogs, and requests for anything but itself. */
export interface Misdeeds {
  readonly messages: string[];
  readonly requests: string[];
}

/** Opens a page and records its misdeeds from before its first byte. */
export async function openPage(
  browser: Browser,
  url: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<{ page: Page; misdeeds: Misdeeds }> {
  const page = await browser.newPage(options);
  const misdeeds: Misdeeds = { messages: [], requests: [] };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) misdeeds.messages.push(message.text());
  });
  page.on('pageerror', (error) => misdeeds.messages.push(error.message));
  page.on('dialog', async (dialog) => {
    misdeeds.messages.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) misdeeds.requests.push(request.url());
  });
  await page.goto(url);
  return { page, misdeeds };
}
