/**
 * The closed forms of src/nn against autodiff of the same equations in plain tf ops: values, gradients,
 * and gradients of gradients, in which nothing may be taken for a constant that was kept.
 */
import * as tf from '@tensorflow/tfjs';

import '../../kernels';
import {l2Normalize} from '../../src/attention/l2_normalize';
import {closedForm, closedFormKeeping} from '../../src/nn/closed_form';
import {feedForward, resolveFeedForward} from '../../src/nn/feed_forward';
import {
  HyperConnectionWeights,
  expandStreams,
  hyperConnect,
  hyperConnectionShapes,
} from '../../src/nn/hyper_connections';
import {layerNorm, normProject} from '../../src/nn/layer_norm';
import {
  LocalMHAWeights,
  localMHA,
  localMHAShapes,
  planMHA,
  resolveMHAConfig,
} from '../../src/nn/local_mha';
import {multiply} from '../../src/nn/multiply';
import {keepElements} from '../../src/attention/dropout';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';
import {EPSILON} from '../support/tolerance';

jest.setTimeout(90_000); // a GPU that is a program compiles for each size anew

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

const CONNECTION = Object.keys(hyperConnectionShapes(1, M));

/** Around a branch f(x) = x W; r [1, T, S, D], W [D, D] and the seven weights in their order. */
function connection([r, w, ...given]: tf.Tensor[]): tf.Tensor {
  const weights = Object.fromEntries(CONNECTION.map((name, i) => [name, given[i]]));
  const branch = (x: tf.Tensor) => tf.reshape(tf.matMul(tf.reshape(x, [ROWS, M]), w), [1, ROWS, M]);
  return tf.tidy(() => hyperConnect(r, weights as unknown as HyperConnectionWeights, branch));
}

/** TF.js's own gradient takes its output for a constant, so that those of gradients are wrong. */
function tanh(x: tf.Tensor): tf.Tensor {
  return closedForm(
    [x],
    ([x]) => tf.tanh(x),
    (dy, [x]) => [tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x))))],
  );
}

function plainConnection([r, w, ...given]: tf.Tensor[]): tf.Tensor {
  const [staticAlpha, alphaFn, alphaScale, staticBeta, betaFn, betaScale, gamma] = given;
  const rows = tf.reshape(r, [-1, M]);
  const u = tf.mul(tf.mul(l2Normalize(rows), Math.sqrt(M)), tf.add(gamma, 1));
  const [, , count] = r.shape;
  const says = (fn: tf.Tensor) =>
    tf.reshape(tanh(tf.matMul(u, tf.reshape(fn, [M, -1]))), [ROWS, count!, -1]);
  const alpha = tf.add(tf.mul(says(alphaFn), alphaScale), staticAlpha);
  const beta = tf.add(tf.mul(says(betaFn), betaScale), tf.reshape(staticBeta, [count!, 1]));
  const parts = tf.mul(tf.expandDims(alpha, 3), tf.reshape(r, [ROWS, count!, 1, M]));
  const [input, carried] = tf.split(tf.sum(parts, 1), [1, count!], 1);
  const y = tf.matMul(tf.reshape(input, [ROWS, M]), w);
  return tf.reshape(tf.add(carried, tf.mul(beta, tf.expandDims(y, 1))), r.shape);
}

function connectionOf(streams: number, sizes: number[]): Case {
  const shapes = Object.values(hyperConnectionShapes(streams, M));
  return {
    shapes: [[1, ROWS, streams, M], [M, M], ...shapes],
    ours: connection,
    plain: plainConnection,
    sizes,
  };
}

const BRANCH = {dim: D, heads: 3, dimHead: 4, windowSize: 2};

/**
 * A branch of attention with a mask and a bias that are gone when it is left: by the fused kernel in one step, by
 * the composite in many.
 */
function branchOf(prenorm: boolean): Case {
  const by = (implementation: 'fused' | 'composite'): Function => {
    const config = resolveMHAConfig('test', {...BRANCH, prenorm, implementation});
    const names = Object.keys(localMHAShapes(config));
    return ([x, attnBias, ...given]) =>
      tf.tidy(() => {
        const weights = Object.fromEntries(names.map((name, i) => [name, given[i]]));
        const mask = tf.tensor([[1, 0, 1, 1, 1]], [1, ROWS], 'bool');
        const plan = planMHA('test', x.shape, config, {mask, attnBias: tf.mul(attnBias, 2)});
        return localMHA(x, weights as unknown as LocalMHAWeights, config, plan);
      });
  };
  const shapes = Object.values(localMHAShapes(resolveMHAConfig('test', {...BRANCH, prenorm})));
  return {
    shapes: [[1, ROWS, D], [BRANCH.heads, 2, 6], ...shapes],
    ours: by('fused'),
    plain: by('composite'),
    sizes: [1],
    once: true,
  };
}

const NORM = [[ROWS, D], [D], [D]];
interface Case {
  shapes: number[][];
  ours: Function;
  plain: Function;
  /** Of the first input. */
  sizes?: number[];
  /** Whether there is no second derivative. */
  once?: boolean;
}

const CASES: Record<string, Case> = {
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
  'a branch of attention': branchOf(false),
  'a branch of attention after a norm': branchOf(true),
  'copies as streams': {
    shapes: [[1, ROWS, D]],
    ours: ([x]) => expandStreams(x, 3),
    plain: ([x]) => tf.stack([x, x, x], 2),
  },
  'a hyper-connection of 2 streams': connectionOf(2, [1, 100]),
  'a hyper-connection of 3 streams': connectionOf(3, [1, 100, 1e9]),
  'a hyper-connection of 4 streams': connectionOf(4, [1, 100]),
};

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  test.each(Object.entries(CASES))('%s', async (_, {shapes, ours, plain, sizes, once}) => {
    for (const size of sizes ?? [1, 100]) {
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
        return (x) =>
          [...gradients(x), ...x]
            .map((each): tf.Tensor => tf.sum(tf.square(each)))
            .reduce((a, b) => tf.add(a, b));
      };
      await agree(
        ours(inputs),
        tf.tidy(() => plain(inputs)),
      );
      for (const of of once ? [weighted] : [weighted, slope]) {
        const gradientsOf = (f: Function) => tf.grads((...x: tf.Tensor[]) => of(f)(x))(inputs);
        const got = gradientsOf(ours);
        const want = tf.tidy(() => gradientsOf(plain));
        for (const [i, gradient] of got.entries()) await agree(gradient, want[i]);
      }
      tf.dispose([inputs, weights]);
    }
  });

  test.each([false, true])(
    'a branch has its gradients inside another gradient, too; after a norm: %s',
    async (prenorm) => {
      const {shapes, ours} = branchOf(prenorm);
      const inputs = shapes.map((shape, i) => tf.randomNormal(shape, 0, 1, 'float32', 3 + i));
      const slope = tf.grads((...x: tf.Tensor[]) => ours(x));
      const found: tf.Tensor[] = [];
      const outer = tf.grads((...x: tf.Tensor[]) => {
        found.push(...slope(x).map((dx) => tf.keep(dx)));
        return x.map((each): tf.Tensor => tf.sum(each)).reduce((a, b) => tf.add(a, b));
      });
      tf.dispose(outer(inputs));
      const known = slope(inputs);
      for (const [i, gradient] of found.entries()) await agree(gradient, known[i]);
      tf.dispose(inputs);
    },
  );

  test('a hyper-connection where streams are zeros, or shorter than 1e-12', async () => {
    const {shapes} = connectionOf(3, []);
    const lengths = [1, 0, 1, 1e-14, 1, 0, 1e-10, 1, 0, 0, 0, 1, 1, 1e-14, 1e-14];
    const inputs = shapes.map((shape, i) =>
      tf.tidy(() => {
        const normal = tf.randomNormal(shape, 0, 1, 'float32', 3 + i);
        return i === 0 ? tf.mul(normal, tf.tensor(lengths, [1, ROWS, 3, 1])) : normal;
      }),
    );
    const weights = tf.tidy(() => tf.randomNormal(inputs[0].shape, 0, 1, 'float32', 31));
    const gradientsOf = (f: Function) =>
      tf.grads((...x: tf.Tensor[]) => tf.sum(tf.mul(weights, f(x))))(inputs);
    const [got, want] = [gradientsOf(connection), tf.tidy(() => gradientsOf(plainConnection))];
    // a stream at a time: the gradients of short ones are larger by up to 1e12
    const streams = (dr: tf.Tensor) => tf.tidy(() => tf.unstack(tf.reshape(dr, [-1, M])));
    const [ofR, wanted] = [streams(got[0]), streams(want[0])];
    for (const [i, one] of ofR.entries()) await agree(one, wanted[i]);
    for (const [i, one] of got.entries()) await agree(one, want[i]);
    tf.dispose([inputs, weights]);
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

test('for what an operation has kept, no gradient of zeros is made', async () => {
  await useBackend(BACKENDS[0]);
  const half = (x: tf.Tensor) =>
    closedFormKeeping([x], {
      forward: ([x]) => [tf.mul(x, 0.5), tf.tile(x, [M])],
      gradients: (dy) => [tf.mul(dy, 0.5)],
    });
  const x = tf.ones([D]);
  const made = jest.spyOn(tf.engine(), 'makeTensor');
  const dx = tf.grad(half)(x);
  const shapes = made.mock.calls.map(([, shape]) => shape);
  made.mockRestore();
  expect(shapes).not.toContainEqual([D * M]);
  expect(await dx.data()).toEqual(new Float32Array(D).fill(0.5));
  tf.dispose([x, dx]);
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
