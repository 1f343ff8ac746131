/** The script that ships, in a browser: threads need nothing served but the page's headers. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

import type {Page} from 'playwright-core';

import {NO_SCRIPT} from '../support/browser';
import {Chromium, openChromium} from '../support/chromium';
import {scriptAt} from '../support/scripts';
import {ISOLATION, Resource, Server, serve} from '../support/server';

const POLICY = {'Content-Security-Policy': "worker-src 'none'"};
const NO_EVAL = {'Content-Security-Policy': "script-src 'self'"};
const PAGES: Record<string, Record<string, string>> = {
  '/isolated': ISOLATION,
  '/plain': {},
  '/no-workers': {...ISOLATION, ...POLICY},
  '/no-wasm': {...ISOLATION, ...NO_EVAL},
};

/** The build of TF.js that a policy against eval lets run; TF.js's wasm goes with the other alone. */
const MODERN = join(__dirname, '../../node_modules/@tensorflow/tfjs/dist/tf.es2017.min.js');

function htmlOf(page: string): string {
  const scripts = page === '/no-wasm' ? ['modern', 'ours'] : ['tf', 'wasm', 'ours'];
  return scripts.map((script) => `<script src="/${script}.js"></script>`).join('');
}

function find(path: string): Resource | null {
  if (path in PAGES) return {type: 'text/html', body: htmlOf(path), headers: PAGES[path]};
  if (path === '/modern.js') return {type: 'text/javascript', body: readFileSync(MODERN)};
  return scriptAt(path);
}

interface Answer {
  threads: number[];
  bits: string[][];
  /** Whether TF.js's memory is. */
  shared: boolean;
  /** Items that workers computed. */
  helped: number;
  warnings: string[];
}

/** In the page: the bits of a large call and its gradients by 1 thread and by others. */
async function compare({backend, threaded}: {backend: string; threaded: boolean}): Promise<Answer> {
  const {tf, tfjsLocalAttention: ours} = globalThis as any; // eslint-disable-line @typescript-eslint/no-explicit-any
  const warnings: string[] = [];
  console.warn = (...words) => void warnings.push(words.join(' '));

  // items done, less those of this thread
  const controls: Int32Array[] = [];
  const {postMessage} = Worker.prototype;
  Worker.prototype.postMessage = function (message: {job?: {control: Int32Array}}) {
    if (message.job) controls.push(message.job.control);
    postMessage.call(this, message);
  };
  const DONE = 1;
  const {add} = Atomics;
  let own = 0;
  Atomics.add = ((words: Int32Array, at: number, value: number) => {
    if (at === DONE) own++;
    return add(words, at, value);
  }) as typeof Atomics.add;

  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threaded);
  tf.wasm.setThreadsCount(2);
  await tf.setBackend(backend);
  const x = tf.reshape(tf.sin(tf.range(0, 3 * 1560 * 24)), [3, 1560, 24]);
  const attend = (...[q, k, v]: unknown[]) =>
    ours.localAttention(q, k, v, {windowSize: 130, implementation: 'fused'});
  const digest = async (values: Float32Array) => {
    const hash = await crypto.subtle.digest('SHA-256', values.slice());
    return new Uint8Array(hash).join(',');
  };
  const threads: number[] = [];
  const bits: string[][] = [];
  for (const count of [1, 2, 3, 2]) {
    threads.push(await ours.ready({threads: count}));
    for (let repeated = 0; repeated < 3; repeated++) {
      const {value, grads} = tf.valueAndGrads(attend)([x, tf.mul(x, 2), tf.mul(x, 3)], x);
      bits.push(await Promise.all([value, ...grads].map(async (y) => digest(await y.data()))));
    }
  }
  const {wasm} = tf.backend();
  const shared = wasm ? wasm.HEAPU8.buffer instanceof SharedArrayBuffer : false;
  const done = [...new Set(controls)].reduce((sum, control) => sum + control[DONE], 0);
  return {threads, bits, shared, helped: done - own, warnings};
}

/** In the page: what ready says, and what it answers without a number. */
async function ask(): Promise<{error: string; threads: number}> {
  const {tfjsLocalAttention: ours} = globalThis as any; // eslint-disable-line @typescript-eslint/no-explicit-any
  const error = await ours.ready({threads: 2}).then(String, String);
  return {error, threads: await ours.ready()};
}

/** In the page: the kernel and a number of a call by 'auto', and what 'fused' says. */
async function attendOnCpu(): Promise<{fused: boolean; value: number; error: string}> {
  const {tf, tfjsLocalAttention: ours} = globalThis as any; // eslint-disable-line @typescript-eslint/no-explicit-any
  await tf.setBackend('cpu');
  const x = tf.ones([1, 8, 4]);
  const call = (implementation: string) =>
    ours.localAttention(x, x, x, {windowSize: 4, implementation});
  let out: {dataSync(): Float32Array};
  const {kernelNames} = await tf.profile(() => void (out = call('auto')));
  let error = 'none';
  try {
    call('fused');
  } catch (thrown) {
    error = String(thrown);
  }
  return {fused: kernelNames.includes('LocalAttention'), value: out!.dataSync()[0], error};
}

(NO_SCRIPT ? describe.skip : describe)('chromium', () => {
  let browser: Chromium;
  let server: Server;
  let page: Page;

  beforeAll(async () => {
    server = await serve(find);
    browser = await openChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function visit(path: string) {
    page = await browser.context.newPage();
    await page.goto(server.origin + path);
  }
  afterEach(() => page.close());

  test.each([
    ['cpu', false],
    ['wasm', false],
    ['wasm', true],
  ])(
    '%s, TF.js with threads of its own: %s; any number of threads gives the same bits',
    async (backend, threaded) => {
      await visit('/isolated');
      const {threads, bits, shared, helped, warnings} = await page.evaluate(compare, {
        backend,
        threaded,
      });
      expect(warnings).toEqual([]);
      expect(threads).toEqual([1, 2, 3, 2]);
      expect(helped).toBeGreaterThan(0);
      expect(shared).toBe(threaded);
      for (const call of bits) expect(call).toEqual(bits[0]);
    },
    120_000,
  );

  test('without isolation threads are refused by name, with the remedy', async () => {
    await visit('/plain');
    const {error, threads} = await page.evaluate(ask);
    expect(error).toContain('[ready] threads: 2 cannot be had: this page is not cross-origin');
    expect(threads).toBe(1);
  });

  test('so are they where a policy forbids workers', async () => {
    await visit('/no-workers');
    const {error, threads} = await page.evaluate(ask);
    expect(error).toBe(
      'RangeError: [ready] threads: 2 cannot be had: a worker did not start ' +
        '(a Content-Security-Policy may have to allow worker-src blob:).',
    );
    expect(threads).toBe(1);
  });

  test('where a policy forbids to compile WebAssembly, calls are composed, and there are reasons', async () => {
    await visit('/no-wasm');
    const {fused, value, error} = await page.evaluate(attendOnCpu);
    expect([fused, value]).toEqual([false, 1]);
    const reason = 'WebAssembly may not be compiled here (CompileError: ';
    expect(error).toContain(`RangeError: [localAttention] no fused kernel on 'cpu': ${reason}`);
    const asked = await page.evaluate(ask);
    expect(asked.error).toContain(`RangeError: [ready] threads: 2 cannot be had: ${reason}`);
    expect(asked.threads).toBe(1);
  });
});
