/**
 * Takes the pictures of the playground that the documents show: the four views on a desktop and on a
 * phone, light and dark, into docs/pictures. It needs chromium, and first `npm run build:playground`.
 *
 *     node --import tsx scripts/screenshots.ts            all of them
 *     node --import tsx scripts/screenshots.ts write      those of one view
 */
import {mkdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Page} from 'playwright-core';

import {NO_SITE, siteUnder} from '../test/support/playground';
import {serve} from '../test/support/server';
import {inPath, launchChromium} from './chromium';

const INTO = join(__dirname, '../docs/pictures');
const SIZES = {desktop: {width: 1120, height: 1060}, phone: {width: 360, height: 740}};
const THEMES = ['light', 'dark'] as const;

/** Brings a view to where there is something to see. */
const VIEWS: Record<string, (page: Page) => Promise<unknown>> = {
  write: async (page) => {
    await page.locator('#speed').fill('200');
    await page.waitForFunction(() => document.querySelectorAll('#text > .written').length > 420);
    await page.locator('#stop').click();
    await page.locator('#text').press('End');
    for (let i = 0; i < 40; i++) await page.locator('#text').press('ArrowLeft');
    await page.waitForFunction(() => document.querySelectorAll('#text > .looked').length > 2);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.evaluate(() => scrollTo(0, 0));
  },
  window: (page) => page.locator('#window-heads:not(.stale) canvas').first().waitFor(),
  train: (page) => page.waitForTimeout(5000),
  compare: async (page) => {
    await page.locator('#compare-longest').selectOption('4096');
    for (const box of await page.locator('#compare-backends input:enabled').all()) {
      await box.setChecked((await box.getAttribute('id')) === 'compare-backend-0');
    }
    await page.locator('#compare-measure').click();
    await page.locator('#compare-state', {hasText: 'All is measured.'}).waitFor();
    await page.locator('#compare-measure').scrollIntoViewIfNeeded();
  },
};

async function main(): Promise<void> {
  if (NO_SITE) throw new Error(NO_SITE);
  const wanted = process.argv[2] ? [process.argv[2]] : Object.keys(VIEWS);
  mkdirSync(INTO, {recursive: true});
  const server = await serve(siteUnder({page: ''}));
  const {context, close} = await launchChromium(inPath('chromium'));
  try {
    for (const view of wanted) {
      for (const [size, viewport] of Object.entries(SIZES)) {
        for (const colorScheme of THEMES) {
          const page = await context.newPage();
          await page.setViewportSize(viewport);
          await page.emulateMedia({colorScheme});
          await page.goto(`${server.origin}/page/#${view}`);
          await page.locator(`#view-${view} h1`).waitFor();
          await VIEWS[view](page);
          const path = join(INTO, `${view}-${size}-${colorScheme}.png`);
          await page.screenshot({path});
          console.log(`${path} ${Math.round(statSync(path).size / 1024)} KB`);
          await page.close();
        }
      }
    }
  } finally {
    await close();
    server.close();
  }
}

main().catch((error: Error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
});
