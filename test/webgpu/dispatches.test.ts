/** How the kernels of webgpu go to the device: few dispatches, parts of long ones, the same bits each time. */
import * as tf from '@tensorflow/tfjs';

import {DISPATCH} from '../../kernels/webgpu/run';
import {localAttention} from '../../src';
import {dispatches, onWebgpu} from './on_webgpu';

const CONFIG = {windowSize: 5, autopad: true, implementation: 'fused'} as const;

function inputs() {
  return [1, 2, 3].map((seed) => tf.randomUniform([3, 47, 8], -1, 1, 'float32', seed));
}

/** The output and the gradients, the bias's too. */
function results(): tf.Tensor[] {
  const bias = tf.randomUniform([3, 5, 15], -1, 1, 'float32', 4);
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias: tf.Tensor) =>
    localAttention(q, k, v, CONFIG, {attnBias});
  const {value, grads} = tf.valueAndGrads(attend)([...inputs(), bias]);
  return [value, ...grads];
}

const bitsOf = (all: tf.Tensor[]) => Promise.all(all.map((x) => x.data()));

onWebgpu('on webgpu', () => {
  test('a call is one dispatch, its gradient three, and four with a bias', () => {
    const [q, k, v] = inputs();
    const attend = (...[q, k, v]: tf.Tensor[]) => localAttention(q, k, v, CONFIG);
    attend(q, k, v); // TF.js is asked once whether it takes pipelines
    expect(dispatches(() => attend(q, k, v))).toBe(1);
    expect(dispatches(() => tf.grads(attend)([q, k, v]))).toBe(1 + 3);
    expect(dispatches(() => results())).toBe(1 + 4);
  });

  test('long work goes in parts, and they are the same bits as the whole', async () => {
    const whole = await bitsOf(results());
    const {longest} = DISPATCH;
    DISPATCH.longest = 20_000;
    const parts: tf.Tensor[] = [];
    try {
      expect(dispatches(() => parts.push(...results()))).toBeGreaterThan(3 * 5);
    } finally {
      DISPATCH.longest = longest;
    }
    expect(await bitsOf(parts)).toEqual(whole);
  });

  test('no sum depends on who comes first: the same call gives the same bits', async () => {
    const first = await bitsOf(results());
    expect(await bitsOf(results())).toEqual(first);
  });

  test('the flag prints a shader when it is compiled, and then no more', () => {
    const print = jest.spyOn(console, 'log').mockImplementation();
    tf.env().set('LOCAL_ATTENTION_SHOW_SHADER', true);
    try {
      const x = tf.ones([1, 20, 60]);
      const attend = () => localAttention(x, x, x, {...CONFIG, windowSize: 20});
      attend();
      expect(print.mock.calls.map(([text]) => String(text).split('\n', 1)[0])).toEqual([
        '// local attention, forward: 16 queries meet 16 keys at a time',
      ]);
      attend();
      expect(print).toHaveBeenCalledTimes(1);
    } finally {
      tf.env().set('LOCAL_ATTENTION_SHOW_SHADER', false);
      print.mockRestore();
    }
  });
});
