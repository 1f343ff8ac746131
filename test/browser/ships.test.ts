/** What ships, as users run it: by script tags, built by Vite, in a worker; without isolation. */
import {readFileSync, rmSync} from 'node:fs';
import {extname, join} from 'node:path';

import type {Download, Page} from 'playwright-core';

import {Trained, Training, predictByFiles, train} from '../page/train';
import {NO_SCRIPT} from '../support/browser';
import {Chromium, openChromium} from '../support/chromium';
import {isWanted} from '../support/named';
import {SCRIPTS, scriptAt} from '../support/scripts';
import {Server, serve} from '../support/server';
import {buildApp} from '../support/vite';

const HTML = Object.keys(SCRIPTS).map((script) => `<script src="${script}"></script>`).join(''); // prettier-ignore
const WORKER = `
  importScripts(${Object.keys(SCRIPTS).map((script) => JSON.stringify(script))});
  ${train}
  onmessage = ({data}) => train(data).then(
    (trained) => postMessage({trained}),
    (error) => postMessage({error: String(error)}),
  );`;
const TYPES: Record<string, string> = {'.html': 'text/html', '.js': 'text/javascript'};

const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'].filter(isWanted);
/** Those with fused kernels. */
const FUSED = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** Where it has been shown to train for long. */
const STEPS = 20;

function expectTrained(backend: string, {losses, held, fused, predictions, loaded}: Trained) {
  expect(losses[1]).toBeLessThan(losses[0]);
  expect(held[1]).toBe(held[0]);
  expect(fused).toBe(FUSED.includes(backend));
  expect(predictions.every(Number.isFinite)).toBe(true);
  expect(loaded).toEqual(predictions);
}

(NO_SCRIPT || BACKENDS.length === 0 ? describe.skip : describe)('chromium', () => {
  let browser: Chromium;
  let server: Server;
  let app: ReturnType<typeof buildApp>;
  let page: Page;

  beforeAll(async () => {
    app = buildApp();
    server = await serve((path) => {
      if (path === '/scripts') return {type: 'text/html', body: HTML};
      if (path === '/worker.js') return {type: 'text/javascript', body: WORKER};
      const built = path === '/app' ? '/index.html' : path;
      const type = TYPES[extname(built)];
      if (type && (path === '/app' || path.startsWith('/assets/'))) {
        return {type, body: readFileSync(join(app.served, built))};
      }
      return scriptAt(path);
    });
    browser = await openChromium();
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
    if (app) rmSync(app.project, {recursive: true, force: true});
  });
  beforeEach(async () => void (page = await browser.context.newPage()));
  afterEach(() => page.close());

  test.each(BACKENDS)(
    'by script tags a model trains on %s, leaks nothing, and is saved and loaded',
    async (backend) => {
      await page.goto(`${server.origin}/scripts`);
      const trained = await page.evaluate(train, {backend, steps: 201});
      expectTrained(backend, trained);
      expect(trained.losses[1]).toBeLessThan(trained.losses[0] / 10);

      const downloads: Download[] = [];
      page.on('download', (download) => void downloads.push(download));
      await page.evaluate(() => (globalThis as any).model.save('downloads://trained')); // eslint-disable-line @typescript-eslint/no-explicit-any
      const deadline = Date.now() + 20_000;
      while (downloads.length < 2 && Date.now() < deadline) await page.waitForTimeout(50);
      const files = await Promise.all(
        downloads.map(async (download) => ({
          name: download.suggestedFilename(),
          base64: readFileSync(await download.path()).toString('base64'),
        })),
      );
      files.sort((a, b) => a.name.localeCompare(b.name));
      expect(files.map(({name}) => name)).toEqual(['trained.json', 'trained.weights.bin']);
      expect(await page.evaluate(predictByFiles, files)).toEqual(trained.predictions);
    },
    180_000,
  );

  test.each(BACKENDS)(
    'in an app built by Vite too: %s',
    async (backend) => {
      await page.goto(`${server.origin}/app`);
      expectTrained(backend, await page.evaluate(train, {backend, steps: STEPS}));
    },
    180_000,
  );

  test.each(BACKENDS)(
    'and in a worker: %s',
    async (backend) => {
      await page.goto(`${server.origin}/scripts`);
      const inWorker = (training: Training) =>
        new Promise<{trained?: Trained; error?: string}>((answered) => {
          const worker = new Worker('/worker.js');
          worker.onmessage = ({data}) => answered(data);
          worker.onerror = ({message}) => answered({error: message});
          worker.postMessage(training);
        });
      const {trained, error} = await page.evaluate(inWorker, {backend, steps: STEPS});
      expect(error).toBeUndefined();
      expectTrained(backend, trained!);
    },
    180_000,
  );
});
