/** The view "Compare" of the playground, as a visitor uses it, with short texts. */
import type {Page} from 'playwright-core';

import {Chromium, openChromium} from '../support/chromium';
import {isWanted} from '../support/named';
import {NO_SITE, PLACES, expectUsable, loseDevices, siteUnder} from '../support/playground';
import {ISOLATION, Server, serve} from '../support/server';

const MEASURED_MS = 240_000; // a software GPU compiles its shaders, on busy cores
const TITLES = ['wasm, 1 thread', 'webgl', 'webgpu'].filter((title) => isWanted(title.split(',')[0])); // prettier-ignore

if (NO_SITE) console.log(`skipped: Compare (${NO_SITE})`);
(NO_SITE ? describe.skip : describe)('compare', () => {
  let browser: Chromium;
  let isolated: Server;
  let plain: Server;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    [isolated, plain] = [await serve(siteUnder(PLACES), ISOLATION), await serve(siteUnder(PLACES))];
    browser = await openChromium();
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  }, 120_000);
  beforeEach(async () => {
    page = await browser.context.newPage();
    page.on('pageerror', (error) => void errors.push(error.message));
    page.setDefaultTimeout(MEASURED_MS);
  });
  afterEach(async () => {
    await page.close();
    expect(errors).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    isolated?.close();
    plain?.close();
  });

  const open = async ({origin}: Server, place: keyof typeof PLACES = 'a-place') => {
    await page.goto(`${origin}/${place}/#compare`);
    await page.locator('#compare-backend-4').waitFor();
  };
  const says = (words: string) => page.locator('#compare-state', {hasText: words}).waitFor();
  /** The backends of these titles alone, and no text longer than `longest`. */
  const choose = async (titles: readonly string[], longest: number) => {
    for (const box of await page.locator('#compare-backends label').all()) {
      const input = box.locator('input');
      const title = (await box.locator('span').evaluate((span) => span.firstChild!.textContent))!;
      if (await input.isEnabled()) await input.setChecked(titles.includes(title));
    }
    await page.locator('#compare-longest').selectOption(String(longest));
  };

  test.each(TITLES)(
    '%s is measured, and its row can be copied as Markdown',
    async (title) => {
      await open(isolated);
      await choose([title], 512);
      await page.locator('#compare-measure').click();
      await says('All is measured.');
      const rows = await page
        .locator('#compare-charts tbody tr')
        .evaluateAll((all) =>
          all.map((row) => Array.from(row.children, (cell) => cell.textContent)),
        );
      expect(rows.map(([tokens]) => tokens)).toEqual(['256', '512']);
      // composed by an emulated GPU, the second may be beyond the time that a call is given
      const absent = rows.map((cells) => cells.indexOf('–'));
      expect([[-1, -1], [-1, 3]]).toContainEqual(absent); // prettier-ignore
      const longest = absent[1] === -1 ? '512' : '256';
      // queries, keys, values and output, and hardly more: no attention weights
      const sequences = (4 * (4 * 512 * 64) * 4) / 1e6;
      const held = parseFloat(rows[1][2]!);
      expect(held).toBeGreaterThanOrEqual(Math.floor(100 * sequences) / 100);
      expect(held).toBeLessThan(1.3 * sequences);
      await page.locator('#compare-copy').click();
      await says('Copied.');
      const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
      console.log(lines.join('\n'));
      expect(lines[0]).toMatch(/^\| backend \| device \| tokens \| fused \| composed \|/);
      expect(lines[2].split(' | ').slice(0, 3)).toEqual([
        `| ${title}`,
        expect.any(String),
        longest,
      ]);
      expect(lines.at(-1)).toMatch(/tfjs-local-attention [\d.]+, @tensorflow\/tfjs 4\.\d+\.\d+; \d{4}-\d\d-\d\d\.$/); // prettier-ignore
    },
    MEASURED_MS,
  );

  test('fused holds less than composed, with its gradient too', async () => {
    await open(isolated);
    await choose(['wasm, 1 thread'], 1024);
    await page.getByLabel('With its gradient').check();
    await page.locator('#compare-measure').click();
    await says('All is measured.');
    const summary = await page.locator('#compare-charts .summary').textContent();
    const [, less] = /holds ([\d.]+) times as much/.exec(summary!)!;
    expect(Number(less)).toBeGreaterThan(1.5);
  });

  test('while it measures the page answers, and stops at once', async () => {
    await open(isolated);
    await choose(['cpu'], 65536);
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, {tasks});
      new PerformanceObserver((list) => {
        tasks.push(...list.getEntries().map(({duration}) => duration));
      }).observe({type: 'longtask'});
    });
    await page.locator('#compare-measure').click();
    await says('composed, 512 tokens');
    const ms = await page.evaluate(async () => {
      const begin = performance.now();
      document.querySelector<HTMLButtonElement>('#compare-stop')!.click();
      const state = document.querySelector('#compare-state')!;
      while (state.textContent !== 'Stopped.') await new Promise((next) => setTimeout(next));
      return performance.now() - begin;
    });
    const tasks = await page.evaluate(() => (globalThis as unknown as {tasks: number[]}).tasks);
    const longest = Math.max(0, ...tasks);
    console.log(
      `stopped in ${ms.toFixed(0)} ms; longest task of the page ${longest.toFixed(0)} ms`,
    );
    expect(ms).toBeLessThan(500);
    for (let i = 0; i < 50 && page.workers().length > 0; i++) await page.waitForTimeout(100);
    expect(page.workers()).toEqual([]);
    expect(await page.locator('#compare-measure').isEnabled()).toBe(true);
  });

  test.each(TITLES.filter((title) => title.startsWith('webg')))(
    'a device of %s that is lost ends the line that is measured, and the other goes on',
    async (title) => {
      await open(isolated, 'losing');
      await choose([title], 65536);
      await page.locator('#compare-measure').click();
      await says('fused, 512 tokens');
      await loseDevices(page);
      const summary = page.locator('#compare-charts .summary', {hasText: 'failed at'});
      const failed = /^.*?(Fused|Composed) failed at ([\d,]+) tokens: ([^.]*)\.( |$)/.exec((await summary.textContent())!)!; // prettier-ignore
      expect(failed[3]).toBe(`${title} has lost its device`);
      // the other line goes on, with a device of its own
      const other = failed[1] === 'Fused' ? 'composed' : 'fused';
      await says(other === 'fused' ? 'fused, 1,024 tokens' : `composed, ${failed[2]} tokens`);
      await page.locator('#compare-stop').click();
      await says('Stopped.');
    },
    MEASURED_MS,
  );

  test('verify tells for each backend whether attention is right', async () => {
    await open(isolated);
    await choose(['wasm, 1 thread', 'cpu'], 512);
    await page.locator('#compare-verify').focus();
    await page.keyboard.press('Enter');
    const focused = () => page.evaluate(() => document.activeElement?.id);
    expect(await focused()).toBe('compare-stop');
    await says('Right: forward and gradients agree');
    expect(await focused()).toBe('compare-verify');
    const rows = await page.locator('#compare-verified tbody tr').allTextContents();
    expect(rows).toEqual([expect.stringMatching(/^wasm, 1 thread.*fused6 of 6/), expect.stringMatching(/^cpu.*fused6 of 6/)]); // prettier-ignore
  });

  test('what is missing is said, and the rest goes on', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'gpu', {get: () => ({requestAdapter: async () => null})});
      OffscreenCanvas.prototype.getContext = () => null;
    });
    await open(plain);
    const missing = await page
      .locator('#compare-backends label:has(:disabled) small')
      .allTextContents();
    expect(missing).toEqual([
      'Threads need an isolated page: this server sends no Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy.',
      'This browser has no WebGL 2.',
      'WebGPU finds no adapter here.',
    ]);
    await choose(['cpu'], 512);
    await page.locator('#compare-measure').click();
    await page.locator('#compare-charts .summary', {hasText: 'At 256 tokens'}).waitFor();
  });

  test('axe-core finds nothing, and nothing is wider than the screen', async () => {
    await open(isolated);
    await choose(['wasm, 1 thread'], 512);
    await page.locator('#compare-verify').click();
    await says('Right');
    await page.locator('#compare-measure').click();
    await says('All is measured.');
    await page.locator('#compare-charts summary').click();
    await expectUsable(page, 'compare');
  });
});
