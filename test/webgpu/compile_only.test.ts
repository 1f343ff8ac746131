/** TF.js's flag to compile alone, as an application sets it while it warms up. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {dispatches, onWebgpu} from './on_webgpu';

const FLAG = 'WEBGPU_ENGINE_COMPILE_ONLY';

onWebgpu('a call while TF.js only compiles', () => {
  afterEach(() => tf.env().set(FLAG, false));

  test('is fused, and so are those that follow', async () => {
    const x = tf.ones([1, 8, 4]);
    const call = () => localAttention(x, x, x, {windowSize: 4, implementation: 'fused'});
    tf.env().set(FLAG, true);
    expect(() => call()).not.toThrow();
    tf.env().set(FLAG, false);
    expect(dispatches(() => void call())).toBeGreaterThan(0);
    for (const number of await call().data()) expect(number).toBeCloseTo(1, 6);
  });
});
