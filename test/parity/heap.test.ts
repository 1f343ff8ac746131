/** What calls take of the heap of TF.js's wasm, which neither tensors nor data ids count. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';

interface Heap {
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

(BACKENDS.includes('wasm') ? test : test.skip)(
  'calls give back all that they take, but tables of angles, of which so many bytes are kept',
  async () => {
    await useBackend('wasm');
    const x = tf.ones([1, 2048, 64]);
    const {wasm} = tf.backend() as unknown as {wasm: Heap};
    const call = (windowSize: number, useRotaryPosEmb: boolean) =>
      tf.tidy(() => {
        const config = {
          windowSize,
          useRotaryPosEmb,
          autopad: true,
          implementation: 'fused',
        } as const;
        const f = (q: tf.Tensor) => localAttention(q, x, x, config);
        tf.grad(f)(x);
      });
    call(32, false); // Emscripten replaces both functions when they are first called
    const {_malloc, _free} = wasm;
    const held = new Map<number, number>();
    wasm._malloc = (bytes) => {
      const at = _malloc(bytes);
      held.set(at, bytes);
      return at;
    };
    wasm._free = (at) => {
      held.delete(at);
      _free(at);
    };
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
    Object.assign(wasm, {_malloc, _free});
    x.dispose();
  },
  30_000,
);
