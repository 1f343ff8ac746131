/** The test files on one backend of a real browser: a test of Jest for each of them. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import {bundle} from '../page/bundle';
import type {Report} from '../page/index';
import type {Settings} from '../page/settings';
import {NO_BROWSER, NO_FIREFOX} from './browser';
import {Browser, TestedPage, openChromium} from './chromium';
import {openFirefox} from './firefox';
import {NAMED, isWanted} from './named';
import {ISOLATION, Resource, Server, serve} from './server';

const WASM = join(__dirname, '../../node_modules/@tensorflow/tfjs-backend-wasm/dist');
const HTML = '<!doctype html><meta charset="utf-8"><script src="/tests.js"></script>';

/** Which of the files run in each page, and how long one may take. */
const FILES = [
  'oracle/cases',
  'oracle/pytorch',
  'property/random',
  'property/decode',
  'property/laws',
  'property/positions',
  'property/dropout',
  'property/hidden',
  'property/reach',
  'property/far_context',
  'property/rotary',
  'gradient/first_order',
  'gradient/second_order',
  'gradient/sure_rows',
  'gradient/use',
  'models/generate',
  'verify/right',
  'training',
  'leaks',
  'webgl/targets',
  'webgl/textures',
  'webgl/variants',
];
const LIMIT = 600_000 + 1_500 * Number(process.env.CASES ?? 0);

/** What the script of the page has made global. */
interface Global {
  start(): Promise<{device: string} | {reason: string}>;
  runFile(file: string): Promise<Report>;
}

const BROWSERS = {
  chromium: {absence: NO_BROWSER, open: openChromium},
  firefox: {absence: NO_FIREFOX, open: openFirefox},
};

/** @param files those of FILES that run, all by default */
export function testPage(
  name: string,
  settings: Pick<Settings, 'backend'> & Partial<Settings>,
  where: keyof typeof BROWSERS = 'chromium',
  files: readonly string[] = FILES,
) {
  const {CASES = '', SEED = '', TESTS = ''} = process.env;
  const environment = Object.fromEntries(
    Object.entries({CASES, SEED}).filter(([, value]) => value !== ''),
  );
  const all: Settings = {
    ...{flags: {}, threads: 1, tests: TESTS},
    ...settings,
    environment: {...environment, ...settings.environment},
  };

  const {absence, open} = BROWSERS[where];
  const run = absence || !isWanted(backendOf(all)) ? describe.skip : describe;
  run(`${name} in ${where}`, () => {
    let server: Server;
    let browser: Browser;
    let page: TestedPage;
    let absent = false;

    beforeAll(async () => {
      const script = await bundle();
      server = await serve((path) => resource(path, script), ISOLATION);
      browser = await open();
      page = await browser.newPage();
      await page.goto(`${server.origin}/?${encodeURIComponent(JSON.stringify(all))}`);
      const started = await page.evaluate(start, null);
      absent = 'reason' in started;
      const place = `${name} in ${browser.version}`;
      if ('device' in started) console.log(`${place}: ${started.device}`);
      else if (NAMED) throw new Error(started.reason);
      else console.log(`skipped: ${place} (${started.reason})`);
    }, 120_000);
    afterAll(async () => {
      await browser?.close();
      server?.close();
    });

    test.each(files)(
      'all tests of %s pass',
      async (file) => {
        if (absent) return;
        const {passed, failed, log} = await page.evaluate(runFile, file);
        console.log([`${name}, ${file}: ${passed} passed`, ...log].join('\n'));
        if (failed.length > 0) throw new Error(`${failed.length} failed:\n${failed.join('\n')}`);
      },
      LIMIT,
    );
  });
}

// in the page
const start = () => (globalThis as unknown as Global).start();
const runFile = (file: string) => (globalThis as unknown as Global).runFile(file);

/** As BACKENDS names it. */
function backendOf({backend, threads}: Settings): string {
  return threads > 1 ? `${backend}-threads` : backend;
}

function resource(path: string, script: string): Resource | null {
  if (path === '/') return {type: 'text/html', body: HTML};
  if (path === '/tests.js') return {type: 'text/javascript', body: script};
  if (!/^\/[\w-]+\.wasm$/.test(path)) return null;
  return {type: 'application/wasm', body: readFileSync(WASM + path)};
}
