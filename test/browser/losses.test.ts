/**
 * A GPU that is gone while the page lives: by name a reason in words, and no call hangs. What the
 * composite then returns is TF.js's to read, which waits forever for a lost context.
 */
import type {Page} from 'playwright-core';

import {NO_SCRIPT} from '../support/browser';
import {Chromium, openChromium} from '../support/chromium';
import {isWanted} from '../support/named';
import {SCRIPTS, scriptAt} from '../support/scripts';
import {Server, serve} from '../support/server';

const HTML = Object.keys(SCRIPTS).map((script) => `<script src="${script}"></script>`).join(''); // prettier-ignore

interface Answer {
  /** A number of the output, while all was well. */
  before: number;
  /** What a call by name says afterwards, and how one that may compose ends. */
  fused: string;
  auto: string;
  /** What verify rejects with, or that it answers, or that it does neither. */
  verify: string;
}

/** In the page: loses the GPU between two calls. */
async function lose(backend: string): Promise<Answer> {
  const {tf, tfjsLocalAttention: ours} = globalThis as any; // eslint-disable-line @typescript-eslint/no-explicit-any
  await tf.setBackend(backend);
  const x = tf.ones([1, 8, 4]);
  const attend = (implementation: string) =>
    ours.localAttention(x, x, x, {windowSize: 4, implementation});
  const [before] = await attend('fused').data();

  const {device, gpgpu} = tf.backend();
  if (device) {
    device.destroy();
    await device.lost;
  } else {
    const lost = new Promise((event) => {
      gpgpu.gl.canvas.addEventListener('webglcontextlost', event);
    });
    gpgpu.gl.getExtension('WEBGL_lose_context').loseContext();
    await lost;
  }
  const endOf = (implementation: string) => {
    try {
      attend(implementation);
      return 'returns';
    } catch (error) {
      return String(error);
    }
  };
  const verify = await Promise.race([
    ours.verify().then(() => 'answers', String),
    new Promise<string>((resolve) => setTimeout(resolve, 10_000, 'hangs')),
  ]);
  return {before, fused: endOf('fused'), auto: endOf('auto'), verify};
}

(NO_SCRIPT ? describe.skip : describe)('chromium', () => {
  let browser: Chromium;
  let server: Server;
  let page: Page;
  beforeAll(async () => {
    server = await serve((path) =>
      path === '/' ? {type: 'text/html', body: HTML} : scriptAt(path),
    );
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });
  beforeEach(async () => {
    page = await browser.context.newPage();
    await page.goto(server.origin);
  });
  afterEach(() => page.close());

  (isWanted('webgpu') ? test : test.skip)('a lost device of webgpu', async () => {
    const {before, fused, auto, verify} = await page.evaluate(lose, 'webgpu');
    expect(before).toBeCloseTo(1, 5);
    expect(fused).toMatch(
      /^RangeError: \[localAttention\] no fused kernel on 'webgpu': its device was lost .*; load the page again/,
    );
    expect(auto).toBe('returns');
    expect(verify).toBe('answers');
  });

  (isWanted('webgl') ? test : test.skip)('a lost context of webgl', async () => {
    const {before, fused, auto, verify} = await page.evaluate(lose, 'webgl');
    expect(before).toBeCloseTo(1, 5);
    expect(fused).toMatch(
      /^RangeError: \[localAttention\] no fused kernel on 'webgl': its WebGL context is lost/,
    );
    expect(auto).toBe('returns');
    expect(verify).toMatch(/^RangeError: \[verify\] the WebGL context is lost/);
  });
});
