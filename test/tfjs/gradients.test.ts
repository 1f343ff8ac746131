/** Our gradients of Sum, Mean and FusedBatchNorm against those of TF.js, on every backend. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {BATCH_NORM_GRADIENT} from '../../kernels/tfjs/batch_norm_gradient';
import type {GradientReplacement} from '../../kernels/tfjs/replacement';
import {MEAN_GRADIENT, SUM_GRADIENT} from '../../kernels/tfjs/sum_gradient';
import {BACKENDS, useBackend} from '../support/backends';
import {expectClose, living} from '../support/close';
import {shapes, someValues} from '../support/replaced';
import {EPSILON} from '../support/tolerance';

const KNOWN = ['Sum', 'Mean', 'FusedBatchNorm'].map((name) => tf.getGradient(name));

/** What `f` returns with ours in place of TF.js's gradient. */
function withOurs<T>({gradient, make}: GradientReplacement, f: () => T): T {
  const theirs = tf.getGradient(gradient);
  tf.registerGradient(make(theirs));
  try {
    return f();
  } finally {
    tf.registerGradient(theirs);
  }
}

/** An emulated GPU compiles a shader for each new shape. */
const RUNS: Record<string, number> = {webgpu: 6};
jest.setTimeout(120_000);

afterAll(() => KNOWN.forEach(tf.registerGradient));

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  describe.each([
    ['Sum', SUM_GRADIENT, tf.sum],
    ['Mean', MEAN_GRADIENT, tf.mean],
  ] as const)('the gradient of %s', (_, replacement, reduce) => {
    test('over any axes is what TF.js answers', async () => {
      const cases = shapes(1, 4, 5)
        .filter((shape) => !shape.includes(0))
        .chain(
          (shape) =>
          fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()], {minLength: 1}), fc.boolean()), // prettier-ignore
        );
      const check = async ([shape, axes, keepDims]: [number[], number[], boolean]) => {
        const before = living();
        const x = someValues(shape);
        const gradient = () => tf.grad((x: tf.Tensor) => tf.sum(tf.square(reduce(x, axes, keepDims))))(x); // prettier-ignore
        const [found, known] = [withOurs(replacement, gradient), gradient()];
        expect(found.dtype).toBe(known.dtype);
        const want = {shape: known.shape, data: [...(await known.data())]};
        await expectClose('gradient', found, want, 2 * EPSILON);
        tf.dispose([x, found, known]);
        expect(living()).toEqual(before);
      };
      await fc.assert(fc.asyncProperty(cases, check), {numRuns: RUNS[backend] ?? 40, seed: 14});
    });

    test('takes NaN and infinities where they belong, and makes no ones', async () => {
      const [x, dy] = [tf.zeros([3, 2]), tf.tensor1d([NaN, 6, Infinity])];
      const gradient = () => tf.grad((x: tf.Tensor) => reduce(x, 1))(x, dy);
      const share = replacement === SUM_GRADIENT ? 6 : 3;
      const {result, kernels} = await tf.profile(() => withOurs(replacement, gradient));
      const data = [...(await (result as tf.Tensor).data())];
      expect(data).toEqual([NaN, NaN, share, share, Infinity, Infinity]);
      expect(kernels.map(({name}) => name)).not.toContain('Multiply');
      tf.dispose([x, dy, result as tf.Tensor]);
    });

    test('has a gradient itself', async () => {
      const x = someValues([3, 4, 2]);
      const cubes = (x: tf.Tensor) => tf.sum(tf.pow(reduce(x, [1, 2]), 3));
      const second = () => tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.grad(cubes)(x))))(x);
      const [found, known] = [withOurs(replacement, second), second()];
      const want = {shape: known.shape, data: [...(await known.data())]};
      await expectClose('second gradient', found, want, 16 * EPSILON);
      tf.dispose([x, found, known]);
    });
  });

  describe('the gradient of FusedBatchNorm', () => {
    const shape = [2, 1, 3, 5] as [number, number, number, number];
    const inputs = () =>
      tf.tidy(() => [
        someValues(shape),
        tf.mul(someValues(shape), 0.3),
        tf.add(tf.abs(someValues(shape)), 0.1),
        tf.cos(someValues(shape)),
        tf.sin(someValues(shape)),
      ]) as tf.Tensor4D[];
    const loss = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, offset: tf.Tensor, scale?: tf.Tensor) => // prettier-ignore
      tf.sum(tf.pow(tf.batchNorm(x as tf.Tensor4D, mean as tf.Tensor4D, variance as tf.Tensor4D, offset as tf.Tensor4D, scale as tf.Tensor4D), 3)); // prettier-ignore

    test('of every input is what TF.js answers', async () => {
      const before = living();
      const given = inputs();
      const gradients = () => tf.grads(loss as never)(given);
      const [found, known] = [withOurs(BATCH_NORM_GRADIENT, gradients), gradients()];
      for (const [at, one] of known.entries()) {
        const want = {shape: one.shape, data: [...(await one.data())]};
        await expectClose(`gradient ${at}`, found[at], want, 16 * EPSILON);
      }
      tf.dispose([given, found, known]);
      expect(living()).toEqual(before);
    });

    test('of one mean and variance for each channel is TF.js’s', async () => {
      const [x] = inputs();
      const channels = tf.tidy(() =>
        [0.3, 0.1, 2, 1].map((by) => tf.add(tf.abs(someValues([5])), by)),
      );
      const gradients = () => tf.grads(loss as never)([x, ...channels]);
      const [found, known] = [withOurs(BATCH_NORM_GRADIENT, gradients), gradients()];
      for (const [at, one] of known.entries()) {
        expect([...(await found[at].data())]).toEqual([...(await one.data())]);
      }
      tf.dispose([x, channels, found, known]);
    });

    test('of a layer normalization takes fewer kernels, to the same gradients', async () => {
      const layer = tf.layers.layerNormalization();
      const x = someValues([2, 3, 5]);
      layer.apply(x);
      const gradient = () =>
        tf.grad((x: tf.Tensor) => tf.sum(tf.pow(layer.apply(x) as tf.Tensor, 3)))(x);
      // TF.js has one profile, which the next one writes over
      const {result: found, kernels} = {...(await tf.profile(() => withOurs(BATCH_NORM_GRADIENT, gradient)))}; // prettier-ignore
      const {result: known, kernels: more} = {...(await tf.profile(gradient))};
      expect(kernels.length).toBeLessThan(more.length);
      const {shape} = known as tf.Tensor;
      const want = {shape, data: [...(await (known as tf.Tensor).data())]};
      await expectClose('gradient', found as tf.Tensor, want, 1e-4); // a small difference of large terms
      tf.dispose([x, found, known]);
      layer.dispose();
    });
  });
});
