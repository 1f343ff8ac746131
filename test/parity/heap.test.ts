/** What calls take of the heap of TF.js's wasm: all is given back, but tables of angles. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {watchHeap} from '../support/heap';
import {FUSED, useAnyBuild, useImplementation} from '../support/implementations';

const ON_WASM = FUSED.filter(([, {backend}]) => backend === 'wasm');
if (ON_WASM.length === 0) {
  console.log('skipped: the heap of wasm (wasm is not in this run)');
  test.skip('what a call takes is given back', () => {});
}

for (const [name, one] of ON_WASM)
  describe(name, () => {
    beforeAll(() => useImplementation(one));
    afterAll(useAnyBuild);

    test('what a call takes is given back', () => {
      const config = {windowSize: 4, useXpos: true, implementation: 'fused'} as const;
      const call = () =>
        tf.tidy(() => {
          const x = tf.ones([1, 8, 4]);
          tf.grads((q, k, v) => localAttention(q, k, v, config))([x, tf.clone(x), tf.clone(x)]);
        });
      call(); // what is kept between calls
      const heap = watchHeap();
      call();
      heap.stop();
      expect(heap.taken).toBeGreaterThan(2);
      expect([...heap.held]).toEqual([]);
    });

    test('tables of angles are kept, so many bytes of them', () => {
      const x = tf.ones([1, 2048, 64]);
      const call = (windowSize: number, useRotaryPosEmb: boolean) =>
        tf.tidy(() => {
          const config = {
            windowSize,
            useRotaryPosEmb,
            autopad: true,
            implementation: 'fused',
          } as const;
          tf.grad((q: tf.Tensor) => localAttention(q, x, x, config))(x);
        });
      call(32, false);
      const {held, stop} = watchHeap();
      call(32, false);
      expect([...held.values()]).toEqual([]);
      call(32, true);
      const tables = held.size;
      expect(tables).toBeGreaterThan(0);
      call(32, true);
      expect(held.size).toBe(tables);
      const bytes = () => [...held.values()].reduce((sum, size) => sum + size, 0);
      for (let window = 600; window < 640; window++) call(window, true);
      expect(bytes()).toBeLessThanOrEqual(2 ** 24);
      expect(bytes()).toBeGreaterThan(2 ** 23);
      stop();
      x.dispose();
    }, 30_000);
  });
