/** Threads that throw, hang, die or come late: the call ends right, and later calls too. */
import * as tf from '@tensorflow/tfjs';
import workers from 'node:worker_threads';

import {WAITING} from '../../kernels/program/threads/worker';
import {localAttention, ready} from '../../src';
import {living} from '../support/close';
import {digest} from '../support/digest';
import {FUSED, useAnyBuild, useImplementation} from '../support/implementations';

/** The line at which a thread computes an item. */
const ITEM = 'program.compute(phase, item, scratch);';
/** The line at which it waits for the items of a phase before. */
const WAIT = `Atomics.store(control, state, ${WAITING});`;
/** The line at which it gets a job. */
const JOB = 'const {job} = data;';

let spoil = (source: string) => source;

jest.mock('../../kernels/program/threads/worker', () => {
  const actual = jest.requireActual('../../kernels/program/threads/worker');
  return Object.defineProperty({...actual}, 'WORKER', {get: () => spoil(actual.WORKER)});
});

/** Makes threads do something else at a line; `when` is true for some of them. */
function sabotage(line: string, deed: string, when = 'true') {
  spoil = (source) => {
    expect(source).toContain(line);
    return source.replace(line, `${line} if (${when}) { ${deed} }`);
  };
}

const ODD = "process.getBuiltinModule('node:worker_threads').threadId % 2";
// scratch and what lies behind it
const SPOIL = 'new Uint8Array(memory.buffer).fill(255, scratch, scratch + (1 << 20));';

const posted = jest.spyOn(workers.Worker.prototype, 'postMessage');
const jobs = () => posted.mock.calls.filter(([message]) => message.job).length;
const warn = jest.spyOn(console, 'warn').mockImplementation();

describe.each(FUSED.filter(([, {build}]) => build === 'simd'))('%s', (_, one) => {
  let alone: string[];

  beforeAll(async () => {
    await useImplementation(one);
    alone = results();
  });
  afterAll(useAnyBuild);
  beforeEach(() => void warn.mockClear());
  afterEach(async () => {
    spoil = (source) => source;
    await ready({threads: 1});
  });

  test.each([
    ['throws', 'throw new Error("sabotage");'],
    ['throws halfway through a gradient', 'if (phase === 2) throw new Error("sabotage");'],
    ['spoils memory, then throws', `${SPOIL} throw new Error("sabotage");`],
    ['hangs', 'for (;;);'],
    ['hangs, and goes on spoiling memory', `for (;;) { ${SPOIL} }`],
    ['dies', 'process.exit();'],
  ])('a thread that %s is left, and the call computed again', async (_, deed) => {
    sabotage(ITEM, deed);
    await ready({threads: 2});
    const before = living();
    untilWarned(() => expect(results()).toEqual(alone));
    expect(living()).toEqual(before);
    expect(warn.mock.calls).toEqual([
      [
        '[localAttention] 1 of 2 threads stopped while they computed; the call is computed again ' +
          'by one thread, later calls by 1.',
      ],
    ]);
    // in a pool that is made anew, too
    spoil = (source) => source;
    expect(await ready({threads: 2})).toBe(2);
    expect(results()).toEqual(alone);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('of two threads, the one that does its work stays', async () => {
    sabotage(ITEM, 'throw new Error("sabotage");', ODD);
    await ready({threads: 3});
    untilWarned(() => expect(results()).toEqual(alone));
    expect(warn.mock.calls[0][0]).toContain('1 of 3 threads stopped');
    expect(warn.mock.calls[0][0]).toContain('later calls by 2.');
    posted.mockClear();
    expect(results()).toEqual(alone);
    expect(jobs()).toBe(2);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('a thread that does not wake for the item that it has is left', async () => {
    sabotage(WAIT, 'for (;;);');
    await ready({threads: 2});
    untilWarned(() => expect(results()).toEqual(alone));
    expect(warn.mock.calls[0][0]).toContain('1 of 2 threads stopped');
    expect(results()).toEqual(alone);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('a thread that comes late is not at fault', async () => {
    sabotage(JOB, 'if (job) for (const begin = Date.now(); Date.now() - begin < 400; );');
    await ready({threads: 2});
    posted.mockClear();
    for (let i = 0; i < 3; i++) expect(results()).toEqual(alone);
    expect(jobs()).toBe(6);
    expect(warn).not.toHaveBeenCalled();
  });

  test('a thread that dies with nothing to do leaves the pool', async () => {
    posted.mockClear();
    await ready({threads: 3});
    const [worker] = posted.mock.contexts as workers.Worker[];
    await worker.terminate();
    posted.mockClear();
    expect(results()).toEqual(alone);
    expect(jobs()).toBe(2);
    expect(warn).not.toHaveBeenCalled();
  });

  test('a thread that answers while it ends is waited for all the same', async () => {
    await ready({threads: 2});
    results(); // now it has a memory to let go of, and answers that it did
    const {terminate} = workers.Worker.prototype;
    const slow = jest.spyOn(workers.Worker.prototype, 'terminate');
    slow.mockImplementation(async function (this: workers.Worker) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return terminate.call(this);
    });
    const unref = jest.spyOn(workers.Worker.prototype, 'unref');
    const left = await ready({threads: 1});
    const unrefs = unref.mock.calls.length;
    unref.mockRestore();
    slow.mockRestore();
    expect([left, unrefs]).toEqual([1, 0]); // or the process could end before
  });

  test('a thread that does not start is a reason', async () => {
    spoil = () => 'throw new Error("no thread today");';
    await expect(ready({threads: 2})).rejects.toThrow(
      '[ready] threads: 2 cannot be had: a worker did not start (no thread today).',
    );
    expect(await ready()).toBe(1);
    expect(results()).toEqual(alone);
  });
});

/** A thread may wake too late to get an item, and not only once. */
function untilWarned(call: () => void) {
  for (let calls = 0; calls < 50 && warn.mock.calls.length === 0; calls++) call();
}

/** Output and gradients of a call that is large enough for all threads. */
function results(): string[] {
  return tf.tidy(() => {
    const x = tf.reshape(tf.sin(tf.range(0, 3 * 1560 * 24)), [3, 1560, 24]);
    const [q, k, v] = [x, tf.mul(x, 2), tf.mul(x, 3)];
    const {value, grads} = tf.valueAndGrads((q, k, v) =>
      localAttention(q, k, v, {windowSize: 130, implementation: 'fused'}),
    )([q, k, v], x);
    return [value, ...grads].map(digest);
  });
}
