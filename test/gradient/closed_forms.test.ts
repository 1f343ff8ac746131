/**
 * The closed forms of src/nn against autodiff of the same equations in plain tf ops: values, gradients,
 * and gradients of gradients, in which nothing may be taken for a constant that was kept.
 */
import * as tf from '@tensorflow/tfjs';

import {closedFormKeeping} from '../../src/nn/closed_form';
import {feedForward, resolveFeedForward} from '../../src/nn/feed_forward';
import {layerNorm, normProject} from '../../src/nn/layer_norm';
import {multiply} from '../../src/nn/multiply';
import {keepElements} from '../../src/attention/dropout';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {EPSILON} from '../support/tolerance';

type Function = (inputs: tf.Tensor[]) => tf.Tensor;

const [ROWS, D, M] = [5, 6, 7];
const CONFIG = resolveFeedForward('test', {dim: D, mult: 2.75, dropout: 0.25});
const F = CONFIG.inner;
const SEED = 77;

function plainNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const {mean, variance} = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(normal, gamma), beta);
}

function plainFeedForward([x, gamma, beta, first, last]: tf.Tensor[]): tf.Tensor {
  const [value, gate] = tf.split(tf.matMul(plainNorm(x, gamma, beta), first), 2, 1);
  const gelu = tf.mul(gate, tf.mul(tf.add(tf.erf(tf.mul(gate, Math.SQRT1_2)), 1), 0.5));
  const kept = tf.mul(tf.mul(value, gelu), keepElements([ROWS, F], CONFIG.dropout, SEED));
  return tf.matMul(kept, last);
}

const NORM = [[ROWS, D], [D], [D]];
const CASES: Record<string, {shapes: number[][]; ours: Function; plain: Function}> = {
  'a product': {
    shapes: [
      [ROWS, D],
      [D, M],
    ],
    ours: ([x, w]) => multiply(x, w),
    plain: ([x, w]) => tf.matMul(x, w),
  },
  'a layer norm': {
    shapes: NORM,
    ours: ([x, gamma, beta]) => layerNorm(x, {gamma, beta}),
    plain: ([x, gamma, beta]) => plainNorm(x, gamma, beta),
  },
  'a layer norm and a product': {
    shapes: [...NORM, [D, M]],
    ours: ([x, gamma, beta, w]) => normProject(x, {gamma, beta}, w),
    plain: ([x, gamma, beta, w]) => tf.matMul(plainNorm(x, gamma, beta), w),
  },
  'a feed-forward network with dropout': {
    shapes: [...NORM, [D, 2 * F], [F, D]],
    ours: ([x, gamma, beta, first, last]) =>
      feedForward(
        x,
        {
          ...{'norm/gamma': gamma, 'norm/beta': beta},
          ...{'to_hidden/kernel': first, 'to_out/kernel': last},
        },
        CONFIG,
        {training: true, seed: SEED},
      ),
    plain: plainFeedForward,
  },
};

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(Object.entries(CASES))('%s', async (_, {shapes, ours, plain}) => {
    for (const size of [1, 100]) {
      const inputs = shapes.map((shape, i) =>
        tf.tidy(() => tf.mul(tf.randomNormal(shape, 0, 1, 'float32', 3 + i), i === 0 ? size : 1)),
      );
      const weights = tf.tidy(() => tf.randomNormal(ours(inputs).shape, 0, 1, 'float32', 31));
      const weighted = (f: Function): Function => {
        return (x) => tf.sum(tf.mul(weights, f(x)));
      };
      // of the squares of all gradients, so that all of the second derivatives are in it
      const slope = (f: Function): Function => {
        const gradients = tf.grads((...x: tf.Tensor[]) => weighted(f)(x));
        // and of all inputs, since TF.js refuses to differentiate by what nothing depends on
        return (x) => tf.addN([...gradients(x), ...x].map((each) => tf.sum(tf.square(each))));
      };
      await agree(
        ours(inputs),
        tf.tidy(() => plain(inputs)),
      );
      for (const of of [weighted, slope]) {
        const gradientsOf = (f: Function) => tf.grads((...x: tf.Tensor[]) => of(f)(x))(inputs);
        const got = gradientsOf(ours);
        const want = tf.tidy(() => gradientsOf(plain));
        for (const [i, gradient] of got.entries()) await agree(gradient, want[i]);
      }
      tf.dispose([inputs, weights]);
    }
  });
});

test('what an operation has kept is gone before the one that came before it has its gradient', async () => {
  await useBackend(BACKENDS[0]);
  const before = living();
  const kept: tf.Tensor[] = [];
  const disposed: boolean[] = [];
  const twice = (x: tf.Tensor) =>
    closedFormKeeping([x], {
      forward: ([x]) => [tf.mul(x, 2), tf.square(x)],
      gradients(dy, _inputs, given) {
        disposed.push(...kept.map((one) => one.isDisposed));
        kept.push(...given);
        return [tf.mul(dy, 2)];
      },
    });
  const x = tf.ones([D]);
  const dx = tf.grad((x) => twice(twice(twice(x))))(x);
  expect(disposed).toEqual([true, true, true]); // of the last one, then of the last two
  expect(await dx.data()).toEqual(new Float32Array(D).fill(8));
  tf.dispose([x, dx]);
  expect(living()).toEqual(before);
});

/** Compares and disposes. */
async function agree(got: tf.Tensor, want: tf.Tensor): Promise<void> {
  const [a, b] = await Promise.all([got.data(), want.data()]);
  expect(got.shape).toEqual(want.shape);
  const scale = Math.max(1e-3, ...Array.from(b, Math.abs));
  const error = Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
  expect(error / scale).toBeLessThan(100 * EPSILON);
  tf.dispose([got, want]);
}
