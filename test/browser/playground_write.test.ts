/** The playground's frame and its view Write, as a visitor uses them. */
import {gzipSync} from 'node:zlib';
import type {Page, Response} from 'playwright-core';

import {Chromium, openChromium} from '../support/chromium';
import {isWanted} from '../support/named';
import {NO_SITE, PLACES, expectUsable, loseDevices, siteUnder, violations} from '../support/playground'; // prettier-ignore
import {Server, serve} from '../support/server';

const VIEWS = ['write', 'window', 'train', 'compare'];
const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'].filter(isWanted);
const MEASURED = 15; // characters
const WRITES_MS = 120_000; // a software GPU compiles its shaders, and the cores are busy

jest.setTimeout(2 * WRITES_MS);

if (NO_SITE) console.log(`skipped: the playground (${NO_SITE})`);
(NO_SITE || BACKENDS.length === 0 ? describe.skip : describe)('the playground', () => {
  let browser: Chromium;
  let server: Server;
  let page: Page;
  let left: string[];
  let errors: string[];

  beforeAll(async () => {
    server = await serve(siteUnder(PLACES));
    browser = await openChromium();
    browser.context.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.origin)) {
        left.push(request.url());
      }
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(async () => {
    [left, errors] = [[], []];
    page = await browser.context.newPage();
    page.on('pageerror', (error) => void errors.push(error.message));
    page.setDefaultTimeout(WRITES_MS);
  });
  afterEach(async () => {
    await page.close();
    expect({left, errors}).toEqual({left: [], errors: []});
  });

  const open = (place: keyof typeof PLACES, rest = '') =>
    page.goto(`${server.origin}/${place}/${rest}`);
  const textOf = (id: string) => page.locator(`#${id}`).textContent();
  const written = () => page.locator('#text > span.written').count();
  const hasWritten = (count: number) =>
    page.waitForFunction((n) => document.querySelectorAll('#text > .written').length >= n, count);
  const says = async (id: string, start: string) => {
    const begins = ([of, words]: string[]) =>
      document.getElementById(of)?.textContent?.startsWith(words);
    try {
      await page.waitForFunction(begins, [id, start]);
    } catch (error) {
      const told = `${await textOf('hand')} ${await textOf('problem')}`;
      throw new Error(`#${id} does not say ${start}: ${told}`, {cause: error});
    }
  };

  test('each view has an address, and is reached by the keyboard', async () => {
    await open('a-place', '#compare');
    await page.locator('#view-compare h1').waitFor();
    await page.locator('nav a[href="#window"]').focus();
    await page.keyboard.press('Enter');
    await page.locator('#view-window h1').waitFor();
    expect(await page.locator('#view-compare').isHidden()).toBe(true);
    expect(await page.locator('nav a[aria-current="page"]').getAttribute('href')).toBe('#window');
    expect(await page.locator('h1:visible').count()).toBe(1);
  });

  test('axe-core finds nothing, and nothing is wider than the screen', async () => {
    await open('a-place');
    await hasWritten(20);
    for (const view of VIEWS) {
      await page.goto(`${server.origin}/a-place/#${view}`);
      await page.locator(`#view-${view} h1`).waitFor();
      await expectUsable(page, view);
    }
  });

  test('the colours are those of the system until they are chosen', async () => {
    await page.emulateMedia({colorScheme: 'dark'});
    await open('a-place');
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await theme()).toBe('dark');
    await page.locator('#theme').click();
    expect(await theme()).toBe('light');
    await page.reload();
    expect(await theme()).toBe('light');
    await page.evaluate(() => localStorage.clear());
  });

  test('the first text comes soon, and what comes before the model is small', async () => {
    const responses: Response[] = [];
    page.on('response', (response) => void responses.push(response));
    await page.addInitScript(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, {tasks});
      const note = (list: PerformanceObserverEntryList) =>
        tasks.push(...list.getEntries().map(({duration}) => duration));
      new PerformanceObserver(note).observe({type: 'longtask', buffered: true});
    });
    await open('a-place', '?backend=webgl');
    await hasWritten(1);
    const [first] = await page.evaluate(() =>
      performance.getEntriesByName('first-text').map(({startTime}) => startTime),
    );
    await hasWritten(200);
    const tasks = await page.evaluate(() => (globalThis as unknown as {tasks: number[]}).tasks);
    const longest = Math.max(0, ...tasks);

    const urls = responses.map((response) => response.url());
    const model = urls.findIndex((url) => url.endsWith('.safetensors'));
    expect(model).toBeGreaterThan(0);
    const before = responses.slice(0, model).filter((one) => one.url().startsWith(server.origin));
    const bodies = await Promise.all(before.map((one) => one.body().catch(() => Buffer.alloc(0))));
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(body, {level: 9}).length, 0);
    console.log(
      `first text after ${Math.round(first)} ms; longest task of the main thread while writing ` +
        `${Math.round(longest)} ms; ${(bytes / 1024).toFixed(0)} KB gzip before the model`,
    );
    expect(first).toBeLessThan(6000); // 2 s is the goal, on a machine that does nothing else
    expect(longest).toBeLessThan(300); // 100 ms, likewise
    expect(bytes).toBeGreaterThan(200 * 1024);
    expect(bytes).toBeLessThan(450 * 1024);
  });

  test.each(BACKENDS)('%s writes', async (backend) => {
    await open('a-place', `?backend=${backend}`);
    await says('hand', `${backend} writes`);
    const [before, began] = [await written(), Date.now()];
    await hasWritten(before + MEASURED);
    const perSecond = MEASURED / ((Date.now() - began) / 1000);
    console.log(`${await textOf('hand')} ${perSecond.toFixed(0)} characters a second`);
    expect(await page.locator('#problem').isHidden()).toBe(true);
  });

  test('the same seed writes the same text, another seed another one', async () => {
    await open('a-place');
    await page.locator('#speed').fill('200');
    const begin = async (seed: number) => {
      await page.locator('#seed').fill(String(seed));
      await page.locator('#again').click();
      await hasWritten(150);
      return (await textOf('text'))!.slice(0, 150);
    };
    const one = await begin(5);
    const other = await begin(6);
    for (let i = 0; i < 3; i++) {
      await begin(6); // while it is still writing
      expect(await begin(5)).toBe(one);
    }
    expect(other).not.toBe(one);
  });

  test('it stops and goes on, with a control that is changed meanwhile', async () => {
    await open('a-place');
    await hasWritten(10);
    await page.locator('#stop').click();
    await page.waitForTimeout(300); // what was asked for before comes
    const stopped = await textOf('text');
    await page.waitForTimeout(700);
    expect(await textOf('text')).toBe(stopped);
    expect(await textOf('stop')).toBe('Continue');
    await page.locator('#temperature').fill('0');
    await page.locator('#stop').click();
    await hasWritten(stopped!.length + 20);
    expect((await textOf('text'))!.startsWith(stopped!)).toBe(true);
  });

  test('a character shows what was looked at, by the pointer and by the keyboard', async () => {
    await open('a-place');
    await hasWritten(60);
    await page.locator('#stop').click();
    await page.locator('#text > span').nth(40).hover();
    await page.waitForFunction(() => document.querySelectorAll('#text > .looked').length > 3);
    await says('looked', 'Before ');
    expect(await textOf('looked')).toMatch(
      /: looked at most, (“.”|a \w+( \w+)?), (just read|\d+ before that); then /,
    );
    const looked = await page.evaluate(() =>
      Array.from(document.querySelectorAll('#text > span')).flatMap((span, at) =>
        span.classList.contains('looked') ? [at] : [],
      ),
    );
    // the twelve before the one that read last, and that one
    expect(Math.min(...looked)).toBeGreaterThanOrEqual(27);
    expect(Math.max(...looked)).toBe(39);

    await page.mouse.move(0, 0);
    await page.locator('#text').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.querySelectorAll('#text > .looked').length > 1);
    const chosen = await page.evaluate(() =>
      Array.from(document.querySelectorAll('#text > span')).findIndex((span) =>
        span.classList.contains('chosen'),
      ),
    );
    expect(chosen).toBe(5);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({colorScheme});
      expect(await violations(page)).toEqual([]);
    }
    const head = page.locator('#heads button').first();
    expect(await head.textContent()).toMatch(/^1\.1 .+, (itself|\d+ back), \d+\s%$/);
    await head.focus();
    await page.keyboard.press('Enter');
    expect(await head.getAttribute('aria-pressed')).toBe('true');
  });

  test('a chosen character shows it while a long text is written on, and its beginning leaves the screen', async () => {
    await open('a-place');
    await hasWritten(1);
    const prompt = page.locator('#prompt');
    await prompt.evaluate((box) => box.removeAttribute('maxlength')); // as if it had written for long
    await prompt.fill('Call me Ishmael. '.repeat(100));
    await page.locator('#speed').fill('200');
    await page.locator('#again').click();
    await hasWritten(40);
    expect(await page.locator('#text > span').count()).toBe(1600);
    const sees = () => page.waitForFunction(() => document.querySelectorAll('#text > .looked').length > 3, null, {timeout: 20_000}); // prettier-ignore
    await page.locator('#text').focus();
    for (let time = 0; time < 10; time++) {
      await page.keyboard.press('ArrowLeft'); // another one
      await sees();
    }
    expect(await written()).toBeGreaterThan(60); // meanwhile
  });

  test('a character that the model has never read is named, and the writing goes on', async () => {
    await open('a-place');
    await hasWritten(1);
    await page.locator('#prompt').fill('Ça va? ');
    await page.locator('#again').click();
    await says('prompt-note', 'The model has never read "Ç"');
    await hasWritten(20);
  });

  test.each(['webgl', 'webgpu'])('without %s a sentence says so, and cpu goes on', async (name) => {
    await open('bare', `?backend=${name}`);
    await says('problem', `This browser has no ${name === 'webgl' ? 'WebGL' : 'WebGPU'}`);
    const before = await written();
    await hasWritten(before + 20);
    expect(await page.locator('#backend').inputValue()).toBe('cpu');
  });

  test('a program that does not load is said in each view', async () => {
    const sentence = 'The part of this page that computes did not load: load the page again.';
    await open('broken');
    await says('view-write', `This view cannot be shown. ${sentence}`);
    await page.goto(`${server.origin}/broken/#window`);
    await says('window-state', `There are no weights: ${sentence}`);
    await page.goto(`${server.origin}/broken/#train`);
    await says('view-train', `This view cannot be shown. ${sentence}`);
    await page.goto(`${server.origin}/broken/#compare`);
    await page.locator('#compare-measure').click();
    await says('compare-state', sentence);
    await page.locator('#compare-verify').click();
    await page.locator('#compare-state', {hasText: 'gave no answer.'}).waitFor();
    const again = page.waitForEvent('worker'); // the view begins anew when it is shown again
    await page.goto(`${server.origin}/broken/#write`);
    await again;
    await says('view-write', `This view cannot be shown. ${sentence}`);
  });

  test('while another view is shown nothing is written, though the visitor left before it began', async () => {
    await open('a-place');
    await page.evaluate(() => void (location.hash = '#train')); // before a worker can write
    await page.locator('#view-train h1').waitFor();
    await says('hand', 'cpu writes');
    await page.waitForTimeout(1000);
    expect(await written()).toBe(0);
    await page.evaluate(() => void (location.hash = '#write'));
    await hasWritten(5);
    expect(await textOf('stop')).toBe('Stop');
  });

  test.each(BACKENDS.filter((name) => name.startsWith('webg')))(
    'a lost device of %s is survived',
    async (backend) => {
      await open('losing', `?backend=${backend}`);
      await says('hand', `${backend} writes`);
      await loseDevices(page);
      await says('problem', `${backend} has lost its device. cpu goes on.`);
      const before = await written();
      await hasWritten(before + 20);
    },
  );
});
