/** Threads share large products: the same bits for any number, and for threads that fail. */
import workers from 'node:worker_threads';

import * as tf from '@tensorflow/tfjs';

import {ready} from '../../src';
import {useBackend} from '../support/backends';
import {living} from '../support/close';
import {digest} from '../support/digest';
import {describeEach, TRANSPOSES, kernels, operands} from '../support/products';

/** The line at which a thread computes an item. */
const ITEM = 'program.compute(phase, item, scratch);';

let spoil = (source: string) => source;

jest.mock('../../kernels/program/threads/worker', () => {
  const actual = jest.requireActual('../../kernels/program/threads/worker');
  return Object.defineProperty({...actual}, 'WORKER', {get: () => spoil(actual.WORKER)});
});

/** Makes threads do something else at each item. */
function sabotage(deed: string) {
  spoil = (source) => {
    expect(source).toContain(ITEM);
    return source.replace(ITEM, `${ITEM} ${deed}`);
  };
}

const posted = jest.spyOn(workers.Worker.prototype, 'postMessage');
const jobs = () => posted.mock.calls.filter(([message]) => message.job).length;
const warn = jest.spyOn(console, 'warn').mockImplementation();

describeEach('on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  beforeEach(() => {
    warn.mockClear();
    posted.mockClear();
  });
  afterEach(async () => {
    spoil = (source) => source;
    await ready({threads: 1});
  });

  /** The bits of products with odd sizes, of one matrix, of few rows or columns, and of a batch. */
  function results(): string[] {
    const {shipped} = kernels(backend, 'BatchMatMul');
    const sizes = [
      [343, 350, 347],
      [70, 1500, 401],
      [401, 1500, 70],
      [130, 171, 133],
    ];
    return sizes.flatMap((size, which) =>
      TRANSPOSES.map((transposes) =>
        tf.tidy(() => {
          const {a, b, ...attrs} = operands(which === 3 ? [[3, 4], [4]] : [[], []], size, transposes); // prettier-ignore
          return digest(shipped({a, b}, attrs));
        }),
      ),
    );
  }

  test('1, 2 and 3 threads give the same bits', async () => {
    const alone = results();
    expect(jobs()).toBe(0);
    for (const threads of [2, 3]) {
      await ready({threads});
      posted.mockClear();
      const before = living();
      expect(results()).toEqual(alone);
      expect(living()).toEqual(before);
      // packing that is one item is nobody else's
      expect(jobs()).toBeGreaterThanOrEqual(alone.length * (threads - 1));
    }
  });

  test.each([
    ['small', [64, 64, 64]],
    ['as fast as it is copied', [16, 1500, 1500]],
  ])('a product that is %s wakes nobody', async (_, sizes) => {
    const {shipped} = kernels(backend, 'BatchMatMul');
    await ready({threads: 2});
    posted.mockClear();
    tf.tidy(() => {
      const {a, b, ...attrs} = operands([[], []], sizes, [true, true]);
      shipped({a, b}, attrs);
    });
    expect(jobs()).toBe(0);
  });

  test.each([
    ['throws', 'throw new Error("sabotage");'],
    ['throws in the midst of a product', 'if (phase === 4) throw new Error("sabotage");'],
    ['hangs', 'for (;;);'],
    ['dies', 'process.exit();'],
  ])('a thread that %s is left, and the product computed again', async (_, deed) => {
    const alone = results();
    sabotage(deed);
    await ready({threads: 2});
    for (let calls = 0; calls < 50 && warn.mock.calls.length === 0; calls++) {
      expect(results()).toEqual(alone);
    }
    expect(warn.mock.calls).toEqual([
      [
        '[localAttention] 1 of 2 threads stopped while they computed; the call is computed again ' +
          'by one thread, later calls by 1.',
      ],
    ]);
    expect(results()).toEqual(alone);
  });
});
