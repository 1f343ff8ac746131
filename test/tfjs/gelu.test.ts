/** Our gelu of tf.layers on wasm and cpu against float64, and against what TF.js composes. */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {GELU_ACTIVATION} from '../../kernels/tfjs/gelu';
import {useBackend} from '../support/backends';
import {erf} from '../support/erf';
import {describeInMemory, leavesNothing, shortOnce, someValues} from '../support/replaced';
import {EPSILON} from '../support/tolerance';

const {owner, method, make} = GELU_ACTIVATION;
const theirs = owner[method];
const ours = make(theirs);

const normal = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;
const density = (x: number) => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
const TRUTH = {
  value: (x: number) => x * normal(x),
  gradient: (x: number) => normal(x) + x * density(x),
  second: (x: number) => density(x) * (2 - x * x),
};
/** 1 + erf loses digits where erf is near −1, by as much as ε of 1, and then it is times x. */
const allowed = (x: number) => 6 * EPSILON * Math.max(1, Math.abs(x));

describeInMemory('gelu on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  leavesNothing();

  const value = (x: tf.Tensor) => ours.call(owner, x);
  const gradient = tf.grad(value);
  const second = tf.grad((x: tf.Tensor) => tf.grad(value)(x));

  const float = fc.oneof(
    fc.float({min: -6, max: 6, noNaN: true}),
    fc.float({min: Math.fround(-1e9), max: Math.fround(1e9), noNaN: true}),
  );

  test.each([
    ['the value', value, TRUTH.value],
    ['the gradient', gradient, TRUTH.gradient],
    ['the gradient of the gradient', second, TRUTH.second],
  ] as const)('%s is that of float64, for any number of numbers', (_, f, truth) => {
    const check = (values: number[]) => {
      const x = tf.tensor1d(values, 'float32');
      const found = f(x);
      expect(found.shape).toEqual([values.length]);
      found.dataSync().forEach((one, i) => {
        const at = Math.fround(values[i]);
        expect(Math.abs(one - truth(at))).toBeLessThanOrEqual(allowed(at));
      });
    };
    fc.assert(fc.property(fc.array(float, {minLength: 1, maxLength: 30}), check), {numRuns: 300, seed: 5}); // prettier-ignore
  });

  test('dy is multiplied with the gradient, and has one too', () => {
    const [x, dy] = [someValues([3, 7]), tf.cos(someValues([3, 7]))];
    const found = gradient(x, dy).dataSync();
    const [xs, dys] = [x.dataSync(), dy.dataSync()];
    found.forEach((one, i) => expect(one).toBeCloseTo(dys[i] * TRUTH.gradient(xs[i]), 5));
    const ofDy = tf
      .grad((dy: tf.Tensor) => gradient(x, dy))(dy)
      .dataSync();
    ofDy.forEach((one, i) => expect(one).toBeCloseTo(TRUTH.gradient(xs[i]), 5));
  });

  test('is what TF.js composes, NaN and infinities too', () => {
    const x = tf.tensor1d([NaN, Infinity, -Infinity, 0, -0, 1, -1, 88, -88, 3e38, -3e38, 1e-40]);
    const [found, known] = [value(x).dataSync(), theirs.call(owner, x).dataSync()];
    found.forEach((one, i) => {
      if (Number.isNaN(known[i])) return expect(one).toBeNaN();
      if (!Number.isFinite(known[i])) return expect(one).toBe(known[i]);
      expect(Math.abs(one - known[i])).toBeLessThanOrEqual(4 * EPSILON * Math.abs(x.dataSync()[i]));
    });
    const slopes = gradient(x).dataSync();
    expect(slopes[0]).toBeNaN();
    expect([...slopes.slice(7, 11)]).toEqual([1, 0, 1, 0]);
  });

  test('is one kernel forward and one backward, of any shape, and TF.js’s of another dtype', async () => {
    for (const shape of [[], [0], [2, 0, 3], [2, 1, 3, 1, 2]]) {
      expect(value(tf.ones(shape)).shape).toEqual(shape);
    }
    const x = tf.ones([5]);
    const {kernelNames} = await tf.profile(() => gradient(x));
    expect(kernelNames.filter((name) => name.includes('Gelu'))).toEqual([
      'LocalAttentionGelu',
      'LocalAttentionGeluGradient',
    ]);
    expect(kernelNames).not.toContain('Erf');
    expect(value(tf.tensor1d([1, 2], 'int32')).dtype).toBe('float32');
  });

  test('where memory is short, TF.js composes it', () => {
    const x = someValues([9]);
    const known = [value(x), gradient(x)].map((one) => [...one.dataSync()]);
    const found = [value, gradient].map((f) => {
      const short = shortOnce();
      const values = [...f(x).dataSync()];
      expect(short.mock.calls.length).toBeGreaterThan(4);
      short.mockRestore();
      return values;
    });
    found.flat().forEach((one, i) => expect(one).toBeCloseTo(known.flat()[i], 5));
  });

  test('a dense layer takes it, once it is registered', async () => {
    const x = someValues([4, 6]);
    const layer = tf.layers.dense({units: 3, activation: 'gelu', inputShape: [6]});
    const before = (layer.apply(x) as tf.Tensor).dataSync();
    owner[method] = ours;
    try {
      const {kernelNames} = await tf.profile(() => layer.apply(x) as tf.Tensor);
      expect(kernelNames).toContain('LocalAttentionGelu');
      (layer.apply(x) as tf.Tensor).dataSync().forEach((one, i) => expect(one).toBeCloseTo(before[i], 6)); // prettier-ignore
    } finally {
      owner[method] = theirs;
      layer.dispose();
    }
  });
});
