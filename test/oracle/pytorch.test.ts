/**
 * The PyTorch original's numbers -> the op, and the layer, by every implementation.
 *
 * A GPU is asked so many of them that each option is among them: its kernels are held to the loops
 * by oracle/cases, the loops to all of these by oracle/naive, and verify() asks it golden ones. What
 * else it would compile for each size is TF.js's.
 */
import * as tf from '@tensorflow/tfjs';

import {Implementation, LocalAttentionArgs, layers, localAttention} from '../../src';
import {boolTensor, expectClose, living, tensor} from '../support/close';
import {
  LocalAttentionFixture,
  LocalMHAFixture,
  localAttentionFixtures,
  localMHAFixtures,
} from '../support/fixtures';
import {QUICK, sampledOnGpu, useAnyBuild, useImplementation} from '../support/implementations';
import {
  Sizes,
  gradientTolerance,
  largest,
  largestProduct,
  outputTolerance,
} from '../support/tolerance';

function sizesOf(c: LocalAttentionFixture): Sizes {
  const {windowSize, lookBackward = 1, causal = false, sharedQk, scale} = c.config;
  const {lookForward = causal ? 0 : 1} = c.config;
  const d = c.q.shape[c.q.shape.length - 1];
  const products = Math.abs(scale ?? d ** -0.5) * largestProduct(c.q, c.k, sharedQk);
  return {
    d,
    context: (1 + lookBackward + lookForward) * (c.windowSize ?? windowSize),
    largestScore: products + largest(c.attnBias?.data ?? []),
  };
}

describe.each(QUICK)('%s', (name, one) => {
  const {implementation} = one;
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  beforeAll(() => void jest.spyOn(console, 'warn').mockImplementation()); // one case is deprecated

  const worst = {cases: 0, output: 0, gradient: 0};
  afterAll(() => {
    const {cases, output, gradient} = worst;
    const [out, grad] = [output.toExponential(1), gradient.toExponential(1)];
    console.log(`${name}: ${cases} PyTorch cases, largest error ${out}, of gradients ${grad}`);
  });

  test.each(sampledOnGpu(one, localAttentionFixtures()).map((c) => [c.name, c] as const))(
    'localAttention gives the original’s numbers and gradients: %s',
    async (_, c) => {
      const before = living();
      const inputs = [c.q, c.k, c.v, ...(c.attnBias ? [c.attnBias] : [])].map(tensor);
      const mask = c.mask ? boolTensor(c.mask) : null;
      const dout = tensor(c.dout);
      const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
        localAttention(
          q,
          k,
          v,
          {...(c.config as LocalAttentionArgs), implementation},
          {
            mask,
            attnBias,
            windowSize: c.windowSize,
          },
        ),
      )(inputs, dout);

      const sizes = sizesOf(c);
      const output = await expectClose('out', value, c.out, outputTolerance(sizes));
      worst.output = Math.max(worst.output, output);
      const wanted = {dq: c.dq, dk: c.dk, dv: c.dv, dAttnBias: c.dAttnBias};
      for (const [i, [name, want]] of Object.entries(wanted).entries()) {
        if (!want) continue;
        const error = await expectClose(name, grads[i], want, gradientTolerance(sizes));
        worst.gradient = Math.max(worst.gradient, error);
      }
      worst.cases++;
      tf.dispose([...inputs, ...grads, ...(mask ? [mask] : []), dout, value]);
      expect(living()).toEqual(before);
    },
  );

  test.each(sampledOnGpu(one, localMHAFixtures()).map((c) => [c.name, c] as const))(
    'LocalMHA gives the original’s numbers and gradients: %s',
    async (_, c) => {
      const before = living();
      const {layer, inputs} = build(c, implementation);
      const dout = tensor(c.dout);
      const loss = () => tf.sum(tf.mul(layer.apply(inputs) as tf.Tensor, dout)) as tf.Scalar;

      const out = layer.apply(inputs) as tf.Tensor;
      const {value, grads} = tf.variableGrads(loss);
      const dx = tf.grad((x) => layer.apply([x, ...inputs.slice(1)]) as tf.Tensor)(inputs[0], dout);

      const sizes = mhaSizes(c);
      const output = await expectClose('out', out, c.out, outputTolerance(sizes));
      worst.output = Math.max(worst.output, output);
      const wanted = Object.entries(c.gradients).map(([name, want]) => {
        const weight = layer.weights.find(({originalName}) => originalName.endsWith(`/${name}`));
        return [name, grads[weight!.name], want] as const;
      });
      for (const [name, got, want] of [...wanted, ['dx', dx, c.dx] as const]) {
        const error = await expectClose(name, got, want, gradientTolerance(sizes));
        worst.gradient = Math.max(worst.gradient, error);
      }
      worst.cases++;
      tf.dispose([inputs, dout, value, grads, out, dx]);
      layer.dispose();
      expect(living()).toEqual(before);
    },
  );
});

/** The layer with the original's weights, used once. */
function build(c: LocalMHAFixture, implementation: Implementation) {
  const layer = layers.localMHA({...c.config, implementation});
  const mask = c.mask ? [boolTensor(c.mask)] : [];
  const bias = c.attnBias ? [tensor(c.attnBias)] : [];
  const inputs = [tensor(c.x), ...mask, ...bias];
  tf.dispose(layer.apply(inputs) as tf.Tensor);
  const names = layer.weights.map(({originalName}) => originalName.split('/').slice(1).join('/'));
  expect(new Set(names)).toEqual(new Set(Object.keys(c.weights)));
  const weights = names.map((name) => tensor(c.weights[name]));
  layer.setWeights(weights);
  tf.dispose(weights);
  return {layer, inputs};
}

// scores pass through a projection of dim terms first, and the result through another
function mhaSizes({config, x, weights, attnBias}: LocalMHAFixture): Sizes {
  const {dim, dimHead = 64, heads = 8, windowSize, lookBackward = 1} = config;
  const {causal = false, lookForward = causal ? 0 : 1, qkRmsnorm = false, qkScale = 8} = config;
  const norm = config.prenorm ? Math.sqrt(dim) * largest(weights['norm/gamma'].data) : null;
  const input = norm ?? largestProduct(x, {shape: [1], data: [1]});
  const projected = input * Math.sqrt(dim * dimHead) * largest(weights['to_qkv/kernel'].data);
  const learned = ['q_scale', 'k_scale'].map((name) => largest(weights[name]?.data ?? [1]));
  const products = qkRmsnorm
    ? qkScale * learned[0] * learned[1]
    : dimHead ** -0.5 * projected * (config.sharedQk ? 1 : projected);
  return {
    d: dim + dimHead * heads,
    context: (1 + lookBackward + lookForward) * windowSize,
    largestScore: products + largest(attnBias?.data ?? []),
  };
}
