/**
 * Takes the pictures of the playground that the documents show: the four views on a desktop and on a
 * phone, light and dark, into docs/pictures. It needs chromium, and first `npm run build:playground`.
 *
 *     node --import tsx scripts/screenshots.ts            all of them
 *     node --import tsx scripts/screenshots.ts write      those of one view
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Page} from 'playwright-core';

import {NO_SITE, siteUnder} from '../test/support/playground';
import {ISOLATION, serve} from '../test/support/server';
import {inPath, launchChromium} from './chromium';

const INTO = join(__dirname, '../docs/pictures');
const SIZES = {desktop: {width: 1120, height: 920}, phone: {width: 360, height: 740}};
const PATIENCE_MS = 240_000;
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
  },
  window: async (page) => {
    await page.waitForFunction(() =>
      /sees/.test(document.getElementById('view-window')!.innerText),
    );
    await page.waitForTimeout(2000);
  },
  train: async (page) => {
    await page.locator('#train-go:enabled').click();
    const samples = () => document.querySelectorAll('#train-samples > li').length >= 4;
    await page.waitForFunction(samples);
    await page.locator('#train-go').click();
    await page.waitForTimeout(1000);
  },
  compare: async (page) => {
    for (const box of await page.locator('#compare-backends label').all()) {
      const name = await box.textContent();
      const input = box.locator('input');
      if (await input.isEnabled()) await input.setChecked(/^wasm/.test(name!));
    }
    await page.locator('#compare-longest').selectOption('4096');
    await page.locator('#compare-measure').click();
    await page.locator('#compare-state', {hasText: 'All is measured.'}).waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  },
};

async function main(): Promise<void> {
  if (NO_SITE) throw new Error(NO_SITE);
  const wanted = process.argv[2] ? [process.argv[2]] : Object.keys(VIEWS);
  mkdirSync(INTO, {recursive: true});
  const server = await serve(siteUnder({page: ''}), ISOLATION);
  const {context, close} = await launchChromium(inPath('chromium'));
  try {
    for (const view of wanted) {
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.setViewportSize(SIZES.desktop);
      await page.goto(`${server.origin}/page/#${view}`);
      await page.locator(`#view-${view} h1`).waitFor();
      await VIEWS[view](page);
      for (const [size, viewport] of Object.entries(SIZES)) {
        for (const colorScheme of THEMES) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({colorScheme});
          await page.evaluate(() => scrollTo(0, 0));
          await page.waitForTimeout(500); // charts are drawn anew
          const path = join(INTO, `${view}-${size}-${colorScheme}.png`);
          const picture = await page.screenshot();
          writeFileSync(path, picture);
          console.log(`${path} ${Math.round(picture.length / 1024)} KB`);
        }
      }
      await page.close();
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
