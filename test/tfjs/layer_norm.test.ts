/**
 * Layer normalization: our kernels of wasm and cpu against float64, and the layer of tf.layers on every
 * backend against what TF.js composes.
 */
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';

import {LAYER_NORMALIZATION, registerLayerNorm} from '../../kernels/tfjs/layer_norm';
import {LAYER_NORM, LAYER_NORM_GRADIENT, layerNorm} from '../../src/nn/layer_norm';
import {BACKENDS, useBackend} from '../support/backends';
import {describeInMemory, leavesNothing, shortOnce, someValues} from '../support/replaced';
import {EPSILON} from '../support/tolerance';

registerLayerNorm();

type Given = {x: number[]; dy: number[]; gamma: number[]; beta: number[]; epsilon: number};

const sum = (values: number[]) => values.reduce((all, one) => all + one, 0);
const largest = (values: number[]) => Math.max(...values.map(Math.abs));

/** A row in float64, and how far float32 may be from it: the mean is rounded, and differences with it. */
function truth({x, dy, gamma, beta, epsilon}: Given) {
  const size = x.length;
  const mean = sum(x) / size;
  const inverse = 1 / Math.sqrt(sum(x.map((one) => (one - mean) ** 2)) / size + epsilon);
  const normal = x.map((one) => (one - mean) * inverse);
  const dNormal = dy.map((one, i) => one * gamma[i]);
  const all = sum(dNormal) / size;
  const along = sum(dNormal.map((one, i) => one * normal[i])) / size;
  const lost = 8 * EPSILON * (1 + largest(normal) + inverse * largest(x)) * Math.sqrt(size);
  return {
    y: normal.map((one, i) => one * gamma[i] + beta[i]),
    dx: dNormal.map((one, i) => (one - all - normal[i] * along) * inverse),
    dGamma: dy.map((one, i) => one * normal[i]),
    ofY: lost * (largest(gamma) + largest(beta)),
    ofDx: lost * inverse * largest(dNormal) * (1 + largest(normal) ** 2),
    ofDGamma: lost * largest(dy),
  };
}

const number = fc.float({min: -3, max: 3, noNaN: true});
const cases = fc
  .tuple(fc.integer({min: 0, max: 9}), fc.integer({min: 1, max: 21}))
  .chain(([rows, size]) => {
    const numbers = (count: number) => fc.array(number, {minLength: count, maxLength: count});
    const scale = fc.constantFrom(1, 1e-6, 1e4, 1e9);
    const shift = fc.constantFrom(0, 0, 0, 100, -1e5);
    return fc.record({
      ...{rows: fc.constant(rows), size: fc.constant(size), scale, shift},
      ...{x: numbers(rows * size), dy: numbers(rows * size)},
      ...{gamma: numbers(size), beta: numbers(size), epsilon: fc.constantFrom(1e-3, 1e-5, 1)},
    });
  });

type Case = typeof cases extends fc.Arbitrary<infer One> ? One : never;

describeInMemory('the kernels of layer normalization on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  leavesNothing();

  test('values and gradients are those of float64, for any rows of any size', () => {
    const check = ({rows, size, scale, shift, gamma, beta, epsilon, ...drawn}: Case) => {
      const fround = (values: number[]) => values.map(Math.fround);
      const x = fround(drawn.x.map((value) => value * scale + shift));
      const {dy} = drawn;
      tf.tidy(() => {
        const f = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) =>
          layerNorm(x, {gamma, beta, epsilon});
        const given = [tf.tensor2d(x, [rows, size]), tf.tensor1d(gamma), tf.tensor1d(beta)];
        const upstream = tf.tensor2d(dy, [rows, size]);
        const {value, grads} = tf.valueAndGrads(f)(given, upstream);
        const [y, dx, dGamma, dBeta] = [value, ...grads].map((one) => [...one.dataSync()]);
        const sums = {dGamma: gamma.map(() => 0), dBeta: gamma.map(() => 0), allowed: 0};
        for (let row = 0; row < rows; row++) {
          const of = (values: number[]) => values.slice(row * size, (row + 1) * size);
          const known = truth({x: of(x), dy: of(dy), gamma, beta, epsilon: Math.fround(epsilon)});
          expectNear(of(y), known.y, known.ofY);
          expectNear(of(dx), known.dx, known.ofDx);
          known.dGamma.forEach((one, i) => (sums.dGamma[i] += one));
          of(dy).forEach((one, i) => (sums.dBeta[i] += one));
          sums.allowed += known.ofDGamma;
        }
        expectNear(dGamma, sums.dGamma, sums.allowed);
        expectNear(dBeta, sums.dBeta, sums.allowed);
      });
    };
    fc.assert(fc.property(cases, check), {numRuns: 300, seed: 3});
  });

  test('sums over many rows lose nothing', () => {
    const [rows, dy] = [300_000, 0.1];
    const [x, gamma] = [tf.tile(someValues([1, 3]), [rows, 1]), tf.ones([3])];
    const f = (beta: tf.Tensor) => layerNorm(x, {gamma, beta});
    const found = tf
      .grad(f)(tf.zeros([3]), tf.fill([rows, 3], dy))
      .dataSync();
    const known = rows * Math.fround(dy);
    found.forEach((one) => expect(Math.abs(one / known - 1)).toBeLessThan(2 * EPSILON));
  });

  test('is one kernel forward and one backward', async () => {
    const [x, gamma, beta] = [someValues([2, 3, 5]), tf.ones([5]), tf.zeros([5])];
    const f = (x: tf.Tensor) => layerNorm(x, {gamma, beta});
    const {kernelNames} = await tf.profile(() => tf.grad(f)(x));
    expect(kernelNames.filter((name) => name.includes('LayerNorm'))).toEqual([
      'LocalAttentionLayerNorm',
      'LocalAttentionLayerNormGradient',
    ]);
    expect(kernelNames).not.toContain('Rsqrt');
  });

  test('the gradient of the gradient is that of the ops', () => {
    const [x, gamma, beta] = [someValues([3, 5]), someValues([5]), someValues([5])];
    const second = (f: (x: tf.Tensor) => tf.Tensor) =>
      tf
        .grad((x: tf.Tensor) => tf.square(tf.grad(f)(x)))(x)
        .dataSync();
    const known = second((x) => {
      const {mean, variance} = tf.moments(x, -1, true);
      const normal = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
      return tf.sin(tf.add(tf.mul(normal, gamma), beta));
    });
    const found = second((x) => tf.sin(layerNorm(x, {gamma, beta, epsilon: 1e-3})));
    expectNear([...found], [...known], 1e-5 * largest([...known]));
  });

  test('NaN and infinities stay in their rows', () => {
    const x = tf.tensor2d([1, 2, 3, NaN, 5, 6, 7, Infinity, 9, 1, 2, 3], [4, 3]);
    const [gamma, beta] = [tf.ones([3]), tf.zeros([3])];
    const y = [...layerNorm(x, {gamma, beta}).dataSync()].map(Number.isNaN);
    expect(y).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0].map(Boolean));
  });

  test('where memory is short, ops compute it', () => {
    const [x, dy] = [someValues([2, 5]), someValues([2, 5])];
    const [gamma, beta] = [someValues([5]), someValues([5])];
    const run = (name: string, inputs: tf.NamedTensorMap) =>
      [tf.engine().runKernel(name, inputs, {epsilon: 1e-3})].flat();
    const calls = [
      () => run(LAYER_NORM, {x, gamma, beta}),
      () => run(LAYER_NORM_GRADIENT, {x, gamma, dy}),
    ];
    const valuesOf = (made: tf.Tensor[]) => made.flatMap((one) => [...one.dataSync()]);
    for (const f of calls) {
      const known = valuesOf(f());
      const short = shortOnce();
      const found = valuesOf(f());
      expect(short.mock.calls.length).toBeGreaterThan(4);
      short.mockRestore();
      expectNear(found, known, 1e-5);
    }
  });
});

const {owner, method, make} = LAYER_NORMALIZATION;
const theirs = owner[method];

const WANTED = BACKENDS.length > 0 ? describe.each(BACKENDS) : describe.skip.each(['none']);

WANTED('tf.layers.layerNormalization on %s, replaced', (backend) => {
  beforeAll(() => useBackend(backend));
  afterEach(() => {
    owner[method] = theirs;
  });

  /** The value and the gradients of x, and of what the layer has. */
  async function results(layer: tf.layers.Layer, x: tf.Tensor): Promise<number[][]> {
    const weights = layer.trainableWeights.map((one) => one.read() as tf.Variable);
    const kept = tf.tidy(() => {
      const f = (x: tf.Tensor) => layer.apply(x) as tf.Tensor;
      const loss = () => tf.sum(tf.sin(f(x))) as tf.Scalar;
      const {grads} = tf.variableGrads(loss, weights);
      return [f(x), tf.grad((x) => tf.sin(f(x)))(x), ...weights.map(({name}) => grads[name])];
    });
    const values = await Promise.all(kept.map((one) => one.data()));
    tf.dispose(kept);
    return values.map((one) => [...one]);
  }

  const layerOf = (config: tf.serialization.ConfigDict, x: tf.Tensor) => {
    const initializer = (seed: number) => tf.initializers.randomNormal({stddev: 1, seed});
    const named = {gammaInitializer: initializer(1), betaInitializer: initializer(2)};
    const layer = tf.layers.layerNormalization({...named, ...config});
    tf.dispose(layer.apply(x) as tf.Tensor);
    return layer;
  };

  test.each([
    ['of two axes', [7, 5], {}],
    ['of three', [2, 3, 9], {epsilon: 1e-6}],
    ['of four', [2, 3, 1, 4], {axis: 3}],
    ['of a list of one axis', [3, 8], {axis: [-1]}],
  ])('%s it is that of TF.js, in fewer kernels', async (_, shape, config) => {
    const x = someValues(shape);
    const layer = layerOf(config, x);
    const known = await results(layer, x);
    const {kernelNames: before} = await tf.profile(() => layer.apply(x) as tf.Tensor);
    owner[method] = make(theirs);
    const found = await results(layer, x);
    found.forEach((values, i) => expectNear(values, known[i], 2e-5 * (1 + largest(known[i]))));
    const {kernelNames: after} = await tf.profile(() => layer.apply(x) as tf.Tensor);
    expect(before).toContain('FusedBatchNorm');
    expect(after).not.toContain('FusedBatchNorm');
    layer.dispose();
  });

  test('rows of another size than it was built for are TF.js’s error', () => {
    const layer = layerOf({}, someValues([3, 4]));
    owner[method] = make(theirs);
    for (const shape of [
      [3, 8],
      [2, 2],
      [4, 3],
    ]) {
      expect(() => layer.apply(someValues(shape))).toThrow(/product of shape|reshape/);
    }
    expect(() => layer.call([], {})).toThrow(/Expected Tensor length to be 1/);
  });

  test.each([
    ['another axis', [3, 4, 5], {axis: 1}, 'float32'],
    ['two axes', [3, 4, 5], {axis: [1, 2]}, 'float32'],
    ['no scale', [3, 4], {scale: false}, 'float32'],
    ['no offset', [3, 4], {center: false}, 'float32'],
    ['integers', [3, 4], {}, 'int32'],
    ['nothing', [0, 4], {}, 'float32'],
  ] as const)('%s is left to TF.js', (_, shape, config, dtype) => {
    const x = someValues([...shape], dtype);
    let handedOn = 0;
    owner[method] = make(function (...args) {
      handedOn++;
      return theirs.apply(this, args);
    });
    try {
      layerOf(config as tf.serialization.ConfigDict, x).dispose();
    } catch {
      // nor does TF.js have a place for it
    }
    expect(handedOn).toBe(1);
  });
});

function expectNear(found: number[], known: number[], allowed: number): void {
  expect(found.length).toBe(known.length);
  const least = 2 ** -126; // what float32 holds to less than ε
  found.forEach((one, i) => expect(Math.abs(one - known[i])).toBeLessThanOrEqual(allowed + least));
}
