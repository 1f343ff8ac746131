/** The view "See the window" of the playground, as a visitor uses it. */
import type {Page} from 'playwright-core';

import {Chromium, openChromium} from '../support/chromium';
import {NO_SITE, siteUnder, expectUsable} from '../support/playground';
import {ISOLATION, Server, serve} from '../support/server';

const SOON_MS = 60_000; // the model loads, on busy cores

if (NO_SITE) console.log(`skipped: See the window (${NO_SITE})`);
(NO_SITE ? describe.skip : describe)('see the window', () => {
  let browser: Chromium;
  let server: Server;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    server = await serve(siteUnder({a: ''}), ISOLATION);
    browser = await openChromium();
    page = await browser.context.newPage();
    page.on('pageerror', (error) => void errors.push(error.message));
    page.setDefaultTimeout(SOON_MS);
  }, 120_000);
  beforeEach(async () => {
    await page.goto('about:blank');
    await page.setViewportSize({width: 1280, height: 900});
    await page.goto(`${server.origin}/a/#window`);
    await page.locator('#window-sentence').waitFor();
  });
  afterEach(() => expect(errors).toEqual([]));
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const textOf = (id: string) => page.locator(`#window-${id}`).textContent();
  const weights = () => page.locator('#window-heads:not(.stale) canvas').first().waitFor();

  /** Moves a slider and tells what the page shows before it gives up the thread. */
  const atOnce = (id: string, value: string) =>
    page.evaluate(
      ([name, to]) => {
        const slider = document.querySelector<HTMLInputElement>(`#window-${name}`)!;
        const begin = performance.now();
        slider.value = to;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
        const ms = performance.now() - begin;
        const stale = document.querySelector('#window-heads')!.classList.contains('stale');
        return {ms, stale, sentence: document.querySelector('#window-sentence')!.textContent};
      },
      [id, value],
    );

  /** How many cells of each row of the picture are coloured, read from its pixels. */
  const counts = () =>
    page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('#window-matrix')!;
      const n = [...document.querySelector<HTMLInputElement>('#window-text')!.value].length;
      const paint = canvas.getContext('2d')!;
      const centre = (at: number) => Math.floor(((at + 0.5) * canvas.width) / n);
      const coloured = (i: number, j: number) => paint.getImageData(centre(j), centre(i), 1, 1).data[3] > 0; // prettier-ignore
      return Array.from({length: n}, (_, i) => Array.from({length: n}, (_, j) => coloured(i, j)).filter(Boolean).length); // prettier-ignore
    });

  test('a slider redraws the picture before the page gives up the thread', async () => {
    await atOnce('windowSize', '4');
    const [first] = await counts();
    expect(first).toBe(1);
    expect(Math.max(...(await counts()))).toBe(5);

    const {sentence, ms} = await atOnce('windowSize', '9');
    expect(sentence).toBe('Query 30, “g”, sees 10 keys.');
    expect(Math.max(...(await counts()))).toBe(10);
    const times: number[] = [ms];
    for (let w = 1; w <= 24; w++) times.push((await atOnce('windowSize', String(w))).ms);
    const slowest = Math.max(...times);
    const median = times.sort((a, b) => a - b)[times.length >> 1];
    console.log(`a change is drawn in ${median.toFixed(1)} ms, at most ${slowest.toFixed(1)} ms`);
    expect(median).toBeLessThan(100);
  });

  test('arrow keys select a query, and a screen reader is told what it sees', async () => {
    const matrix = page.locator('#window-matrix');
    await matrix.focus();
    await page.keyboard.press('Home');
    expect(await matrix.getAttribute('aria-valuetext')).toBe(
      'Query 1, “C”, sees 1 key, 12 fewer than elsewhere: the text begins there.',
    );
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await matrix.getAttribute('aria-valuenow')).toBe('3');
    expect(await textOf('sentence')).toMatch(/^Query 3, “l”, sees 3 keys/);
    await page.keyboard.press('End');
    expect(await textOf('sentence')).toBe('Query 52, “g”, sees 13 keys.');
  });

  test('the pointer selects the query of its row, and the text shows its keys', async () => {
    await page.locator('#window-matrix').hover({position: {x: 100, y: 5}});
    expect(await textOf('sentence')).toMatch(/^Query 1, /);
    await page.locator('#window-strip span').nth(20).hover();
    expect(await textOf('sentence')).toMatch(/^Query 21, /);
    const tinted = await page.locator('#window-strip span').evaluateAll(
      (spans) =>
      spans.flatMap((span, at) => ((span as HTMLElement).style.getPropertyValue('--tint') > '0.1' ? [at] : [])), // prettier-ignore
    );
    expect(tinted).toEqual(Array.from({length: 13}, (_, at) => 8 + at));
  });

  test('what the package refuses is said in its words, and mended by a button', async () => {
    await atOnce('lookForward', '2');
    const refusal = page.getByRole('alert');
    await refusal.waitFor();
    expect(await refusal.textContent()).toContain('lookForward must be 0 when causal is true, got 2.'); // prettier-ignore
    await page.locator('#window-mend').focus();
    await page.keyboard.press('Enter');
    expect(await refusal.count()).toBe(0);
    expect(await page.locator('#window-lookForward').inputValue()).toBe('0');
  });

  test('the weights of the text come, by head, through the window that is chosen', async () => {
    await weights();
    expect(await page.locator('#window-heads canvas').count()).toBe(12);
    expect(await textOf('head-sentence')).toMatch(/^Head 1 of block 1: “g” looks most at .+ with \d+ % of its attention\.$/); // prettier-ignore
    await page.locator('#window-heads button').nth(5).focus();
    await page.keyboard.press('Enter');
    expect(await textOf('head-sentence')).toMatch(/^Head 2 of block 2: /);

    const begin = Date.now();
    // until the weights of this window are here, those of the other are drawn paler
    expect((await atOnce('windowSize', '3')).stale).toBe(true);
    await weights();
    console.log(`the weights of another window come after ${Date.now() - begin} ms`);

    await page.locator('#window-text').fill('The whale');
    await atOnce('windowSize', '1');
    await page.locator('#window-lookBackward').fill('0');
    await weights();
    // alone in its window, a query can look at itself only
    expect(await textOf('head-sentence')).toMatch(/: “e” looks most at itself, with 100 % of its attention\.$/); // prettier-ignore
    await page.locator('#window-text').fill('');
    expect(await textOf('sentence')).toBe('There is no text to look at.');
  });

  test('axe-core finds nothing, and nothing is wider than the screen', async () => {
    await weights();
    await atOnce('lookForward', '1');
    await expectUsable(page, 'window');
  });
});
