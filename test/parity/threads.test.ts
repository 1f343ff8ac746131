/** Any number of threads gives the same bits, and no thread that fails harms a result. */
import {spawnSync} from 'node:child_process';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import workers from 'node:worker_threads';

import * as tf from '@tensorflow/tfjs';

import {localAttention, ready} from '../../src';
import {living} from '../support/close';
import {PROGRAMS, useAnyBuild, useImplementation} from '../support/implementations';
import {SHAPES, Shape, bitsOf} from '../support/shapes';

const posted = jest.spyOn(workers.Worker.prototype, 'postMessage');
/** Jobs that threads were given since the last clearing. */
const jobs = () => posted.mock.calls.filter(([message]) => message.job);
beforeEach(() => posted.mockClear());
afterAll(() => ready({threads: 1}));

describe.each(PROGRAMS)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test('1, 2 and 3 threads give the same bits, forward and backward', async () => {
    const alone = SHAPES.map(([, shape]) => bitsOf(shape));
    for (const threads of [2, 3]) {
      expect(await ready({threads})).toBe(threads);
      for (const [at, [name, shape]] of SHAPES.entries()) {
        posted.mockClear();
        const before = living();
        expect([name, bitsOf(shape)]).toEqual([name, alone[at]]);
        expect(living()).toEqual(before);
        // forward and backward; but the gradient of a bias is one item for each head of it
        const calls = shape.bias === 1 ? 1 : 2;
        expect(jobs()).toHaveLength((threads - 1) * calls);
      }
    }
    await ready({threads: 1});
  }, 120_000);
});

describe('the pool', () => {
  beforeAll(() => useImplementation(PROGRAMS[0][1]));
  afterAll(useAnyBuild);
  afterEach(() => ready({threads: 1}));

  const small: Shape = {config: {windowSize: 16, causal: true}, n: 512};
  const large: Shape = SHAPES[0][1];

  test('a small call disturbs no thread, a large one all', async () => {
    await ready({threads: 3});
    posted.mockClear();
    bitsOf(small);
    expect(jobs()).toHaveLength(0);
    bitsOf(large);
    expect(jobs()).toHaveLength(4);
  });

  test('it grows, shrinks and ends', async () => {
    for (const threads of [2, 4, 1, 3, 2, 1]) {
      expect(await ready({threads})).toBe(threads);
      posted.mockClear();
      bitsOf(large);
      expect(jobs()).toHaveLength(2 * (threads - 1));
    }
  });

  test('calls at the same time are taken one after the other', async () => {
    const counts = [3, 1, 2, 4, 2];
    const answers = await Promise.all(counts.map((threads) => ready({threads})));
    expect(answers).toEqual(counts);
    posted.mockClear();
    bitsOf(large);
    expect(jobs()).toHaveLength(2);
  });

  test('without a number it has no more threads than processors, and no more than 8', async () => {
    expect(await ready()).toBe(Math.min(8, availableParallelism()));
    expect(await ready({threads: null})).toBe(Math.min(8, availableParallelism()));
  });

  test('the kernels that it runs keep their names', async () => {
    await ready({threads: 2});
    const {kernelNames} = await tf.profile(() => void bitsOf(large));
    expect(kernelNames).toEqual(expect.arrayContaining(['LocalAttention', 'LocalAttentionGrad']));
    expect(jobs()).toHaveLength(2);
  });

  test('it keeps the memory that it has grown to, until the next ready()', async () => {
    await ready({threads: 2});
    const rss = () => process.memoryUsage().rss / 2 ** 20;
    const x = tf.ones([1, 2 ** 16, 320]);
    const options = {windowSize: 32, useRotaryPosEmb: false, implementation: 'fused'} as const;
    const call = () => tf.dispose(localAttention(x, x, x, options));
    call();
    const [before, programs] = [rss(), () => jobs().filter(([{program}]) => program).length];
    posted.mockClear();
    for (let i = 0; i < 5; i++) call();
    expect([jobs().length, programs()]).toEqual([5, 0]);
    expect(rss() - before).toBeLessThan(300);
    await ready({threads: 2});
    expect(posted.mock.lastCall).toEqual([{program: null}]);
    x.dispose();
  });
});

describe('ready', () => {
  test.each([
    [{threads: 0}, 'threads must be a whole number from 1 to 16777216, got 0.'],
    [{threads: -1}, 'threads must be a whole number from 1 to 16777216, got -1.'],
    [{threads: 1.5}, 'threads must be a whole number from 1 to 16777216, got 1.5.'],
    [{threads: NaN}, 'threads must be a whole number from 1 to 16777216, got NaN.'],
    [{threads: '2'}, "threads must be a whole number from 1 to 16777216, got '2'."],
    [{thread: 2}, "unknown option 'thread' (did you mean 'threads'?)."],
    [2, 'options must be a plain object such as {threads: …}, got 2.'],
    [null, 'options must be a plain object such as {threads: …}, got null.'],
  ])('%j is refused', async (options, says) => {
    await expect(ready(options as object)).rejects.toThrow(`[ready] ${says}`);
    expect(posted).not.toHaveBeenCalled();
  });

  test.each([
    ['crossOriginIsolated', false, 'this page is not cross-origin isolated'],
    ['SharedArrayBuffer', undefined, 'this page is not cross-origin isolated'],
  ])(
    'where %s is %s, threads are refused by name, and quietly none without',
    async (name, value, reason) => {
      const had = Object.getOwnPropertyDescriptor(globalThis, name);
      Object.defineProperty(globalThis, name, {value, configurable: true});
      try {
        await expect(ready({threads: 2})).rejects.toThrow(
          `[ready] threads: 2 cannot be had: ${reason}`,
        );
        await expect(ready({threads: 2})).rejects.toThrow(RangeError);
        expect(await ready()).toBe(1);
        expect(await ready({threads: 1})).toBe(1);
      } finally {
        delete (globalThis as Record<string, unknown>)[name];
        if (had) Object.defineProperty(globalThis, name, had);
      }
    },
  );
});

describe('a process that has threads ends by itself', () => {
  const READY = `
    const tf = require('@tensorflow/tfjs');
    const {localAttention, ready} = require('tfjs-local-attention');
    tf.env().set('IS_TEST', true); // no greeting
    await tf.setBackend('cpu');
    console.log(await ready({threads: 2}));`;
  const CALL = `
    const x = tf.ones([4, 2048, 64]);
    localAttention(x, x, x, {windowSize: 256, implementation: 'fused'});`;
  // the thread's own text, made to hang where it is told to
  const HANG = `
    const workers = require('node:worker_threads');
    let worker;
    workers.Worker = class extends workers.Worker {
      constructor(source, options) {
        super(source.replace('const {job} = data;', 'if (data.hang) for (;;); $&'), options);
        worker = this;
      }
    };
    ${READY}
    worker.postMessage({hang: true});
    await new Promise((resolve) => setTimeout(resolve, 200));`;

  test.each([
    ['after ready() alone', READY],
    ['after a call', READY + CALL],
    ['while a thread still computes', HANG],
  ])('%s', (_, program) => {
    const command = ['--import', 'tsx', '-e', `(async () => {${program}})();`];
    const options = {cwd: join(__dirname, '../..'), encoding: 'utf8', timeout: 30_000} as const;
    const {status, signal, stdout, stderr} = spawnSync(process.execPath, command, options);
    expect({status, signal, stderr}).toEqual({status: 0, signal: null, stderr: ''});
    expect(stdout).toMatch(/^2\n/);
  });
});
