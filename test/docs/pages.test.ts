/** The pages of the documents, opened in Chromium: pasted into a file, and built by Vite. */
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {extname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {Page} from 'playwright-core';

import {NO_SCRIPT} from '../support/browser';
import {Chromium, openChromium} from '../support/chromium';
import {ROOT, blocksOfKind, textOf} from '../support/documents';
import {ISOLATION, serve} from '../support/server';
import {buildApp} from '../support/vite';

const CDN = 'https://cdn.jsdelivr.net/npm/';
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
/** Of a page that is isolated. */
const ALONE = 'crossOriginIsolated';
/** The program that the block of Vite's paths is for: a page says first where its files are. */
const [QUICKSTART] = blocksOfKind('program');

if (NO_SCRIPT) console.warn(`skipped: the pages of the documents (${NO_SCRIPT})`);

(NO_SCRIPT ? describe.skip : describe)('in Chromium', () => {
  let browser: Chromium;
  let page: Page;

  beforeAll(async () => void (browser = await openChromium()), 60_000);
  afterAll(() => browser?.close());
  beforeEach(async () => void (page = await browser.context.newPage()));
  afterEach(() => page.close());

  test.each(blocksOfKind('page'))(
    '$document, $heading: pasted into a file and opened it shows what stands below it',
    async ({code, prints}) => {
      const folder = mkdtempSync(join(tmpdir(), 'page-'));
      try {
        const asked: string[] = [];
        await page.route(/^https?:/, (route) => {
          const url = route.request().url();
          asked.push(url);
          const file = fileOfCdn(url);
          if (!file) return route.abort();
          const headers = {'Access-Control-Allow-Origin': '*'};
          return route.fulfill({path: file, contentType: TYPES[extname(file)], headers});
        });
        writeFileSync(join(folder, 'page.html'), code);
        await page.goto(pathToFileURL(join(folder, 'page.html')).href);
        await page.waitForFunction(() => /\d/.test(document.querySelector('output')!.value));
        expect(`${await page.locator('output').innerText()}\n`).toBe(prints);
        expect(asked.filter((url) => !fileOfCdn(url))).toEqual([]);
      } finally {
        rmSync(folder, {recursive: true});
      }
    },
    180_000,
  );

  test.each(blocksOfKind('vite'))(
    '$document, $heading: in a page built by Vite',
    async ({code, prints}) => {
      const [program, expected] = prints ? [code, prints] : [`${code}${QUICKSTART.code}`, QUICKSTART.prints!]; // prettier-ignore
      const {served, project} = buildApp(program);
      const server = await serve(
        (path) => {
          const file = join(served, path === '/' ? 'index.html' : path);
          return existsSync(file) ? {type: TYPES[extname(file)], body: readFileSync(file)} : null;
        },
        code.includes(ALONE) ? ISOLATION : {},
      );
      try {
        let printed = '';
        const whole = new Promise<void>((done) =>
          page.on('console', (message) => {
            if (message.type() !== 'log') return;
            printed += `${message.text()}\n`;
            if (printed.length >= expected.length) done();
          }),
        );
        const failed = new Promise<never>((_, reject) => page.on('pageerror', reject));
        await page.goto(server.origin);
        await Promise.race([whole, failed]);
        expect(printed).toBe(expected);
      } finally {
        server.close();
        rmSync(project, {recursive: true, force: true});
      }
    },
    240_000,
  );
});

/** What the CDN would answer with: the same file of the package here, if it is of that version; or null. */
function fileOfCdn(url: string): string | null {
  const [, name, version, path] = /^((?:@[^/]+\/)?[^@/]+)@([^/]+)\/(.*)$/.exec(url.replace(CDN, '')) ?? []; // prettier-ignore
  if (!url.startsWith(CDN) || !path) return null;
  const own = JSON.parse(textOf('package.json'));
  const root = name === own.name ? ROOT : join(ROOT, 'node_modules', name);
  const {version: here} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return here === version && existsSync(join(root, path)) ? join(root, path) : null;
}

test('the headers that threads need are those that isolate the pages of the tests', () => {
  const lines = Object.entries(ISOLATION).map(([name, value]) => `${name}: ${value}\n`);
  for (const {code} of blocksOfKind('headers')) expect(code).toBe(lines.join(''));
});
