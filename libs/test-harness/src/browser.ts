import { execFileSync } from 'node:child_process';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';

const SYSTEM = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** A page in a real Chromium: the one from npm where its binary runs, else one of the system. Fails with one sentence without either. */
export async function openPage(): Promise<{ browser: Browser; page: Page }> {
  chromium.setGraphicsMode = false;
  const bundled = await chromium.executablePath().catch(() => undefined);
  const found = [bundled, ...SYSTEM, MAC].find((path) => path !== undefined && runs(path));
  if (found === undefined)
    throw new Error(
      'These tests need a Chromium: the binary of @sparticuz/chromium does not run here, and no Chrome or Chromium was found.',
    );
  const executablePath = found === bundled || found === MAC ? found : execFileSync('which', [found], { encoding: 'utf8' }).trim();
  const browser = await playwright.launch({ executablePath, args: found === bundled ? chromium.args : ['--no-sandbox'], headless: true });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  page.setDefaultTimeout(20_000);
  return { browser, page };
}

function runs(path: string): boolean {
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
