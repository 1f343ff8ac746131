/** The gate of a call: checked once, and its plan handed on. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, layers, localAttention} from '../../src';
import * as problems from '../../src/attention/problem';

const X = () => tf.randomUniform([2, 12, 8], -1, 1, 'float32', 3);
const ARGS: LocalAttentionArgs = {windowSize: 4, causal: true};
const MHA = {...ARGS, dim: 8, heads: 2, dimHead: 4};

let made: jest.SpyInstance;

beforeEach(() => void (made = jest.spyOn(problems, 'problemOf')));
afterEach(() => made.mockRestore());

test('an eager call makes its problem once, by whichever door', () => {
  tf.tidy(() => {
    const x = X();
    const doors: [string, () => unknown][] = [
      ['localAttention', () => localAttention(x, x, x, ARGS)],
      ['LocalAttention', () => layers.localAttention(ARGS).apply(x)],
      ['LocalMHA', () => layers.localMHA(MHA).apply(x)],
    ];
    for (const [name, call] of doors) {
      made.mockClear();
      call();
      expect([name, made.mock.calls.length]).toEqual([name, 1]);
    }
  });
});

test('a model makes the problem of a layer once a step', () => {
  const model = tf.sequential({layers: [layers.localMHA({...MHA, inputShape: [12, 8]})]});
  tf.tidy(() => {
    const x = X();
    model.predict(x);
    made.mockClear();
    model.predict(x);
  });
  expect(made.mock.calls.length).toBe(1);
  model.dispose();
});

test('a plan is for the inputs that it was made of, and for one call', () => {
  const layer = layers.localAttention({...ARGS, autopad: true});
  const [x, shorter] = [X(), tf.tidy(() => tf.slice(X(), [0, 0, 0], [2, 7, 8]))];
  const first = layer.apply(x) as tf.Tensor;
  // called by itself, as by a wrapper
  const second = layer.call(shorter) as tf.Tensor;
  const third = layer.call(x) as tf.Tensor;
  expect(second.shape).toEqual([2, 7, 8]);
  expect(third.dataSync()).toEqual(first.dataSync());
  tf.dispose([x, shorter, first, second, third]);
});

test('a call that is refused leaves no plan for the next', () => {
  const layer = layers.localAttention({...ARGS, implementation: 'composite'});
  const [x, odd] = [X(), tf.tidy(() => tf.slice(X(), [0, 0, 0], [2, 7, 8]))];
  expect(() => layer.apply(odd)).toThrow('must be a multiple of windowSize 4');
  expect(() => layer.call(odd)).toThrow('must be a multiple of windowSize 4');
  const out = layer.call(x) as tf.Tensor;
  expect(out.shape).toEqual([2, 12, 8]);
  tf.dispose([x, odd, out]);
});
