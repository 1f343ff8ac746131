/** Nothing is left behind: on every backend, by whatever is called, also where it throws. */
import * as tf from '@tensorflow/tfjs';

import {Implementation, layers, localAttention, rotary} from '../src';
import {living} from './support/close';
import {QUICK, useAnyBuild, useImplementation} from './support/implementations';

const OPTIONS = [
  {},
  {causal: true, exactWindowsize: true},
  {sharedQk: true, lookBackward: 2, lookForward: 0},
  {useXpos: true, autopad: true},
  {useRotaryPosEmb: false, autopad: true, lookBackward: 0, lookForward: 0},
  {dropout: 0.5, autopad: true},
].map((options) => ({windowSize: 4, ...options}));

type Make = (by: {implementation: Implementation}) => tf.layers.Layer;

const LAYERS: Record<string, Make> = {
  localAttention: (by) => layers.localAttention({windowSize: 4, causal: true, dropout: 0.5, ...by}),
  'localAttention with autopad and xpos': (by) =>
    layers.localAttention({windowSize: 5, autopad: true, useXpos: true, ...by}),
  localMHA: (by) => layers.localMHA({dim: 6, windowSize: 4, heads: 2, dimHead: 4, ...by}),
  'localMHA with all there is': (by) =>
    layers.localMHA({
      dim: 6,
      windowSize: 5,
      heads: 2,
      dimHead: 4,
      causal: true,
      dropout: 0.5,
      prenorm: true,
      qkRmsnorm: true,
      gateValuesPerHead: true,
      kernelRegularizer: 'l1l2',
      ...by,
    }),
  rotaryEmbedding: () => layers.rotaryEmbedding({offset: 3}),
};

/** A model of that layer under a Keras mask, with weights before it. */
function modelOf(layer: tf.layers.Layer): tf.LayersModel {
  const inputs = tf.input({shape: [8, 6]});
  const masked = tf.layers.masking({maskValue: 0}).apply(inputs);
  const normal = tf.layers.layerNormalization().apply(masked);
  return tf.model({inputs, outputs: layer.apply(normal) as tf.SymbolicTensor});
}

describe.each(QUICK)('%s', (_, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);
  const {implementation} = one;
  let before = living();
  beforeEach(() => (before = living()));
  afterEach(() => expect(living()).toEqual(before));

  describe.each(OPTIONS.map((options) => [JSON.stringify(options), options] as const))(
    'localAttention %s',
    (_, chosen) => {
      const options = {...chosen, implementation};
      function given() {
        const context = (1 + (options.lookBackward ?? 1) + (options.lookForward ?? 1)) * 4;
        const size = options.causal ? 8 : context;
        return {
          q: tf.randomNormal([2, 3, 8, 6]),
          k: tf.randomNormal([2, 3, 8, 6]),
          v: tf.randomNormal([2, 3, 8, 5]),
          attnBias: tf.randomNormal([3, 4, size]),
          mask: tf.randomUniform([2, 8], 0, 2, 'bool'),
        };
      }

      test('leaves its result alone', () => {
        const {q, k, v, mask, attnBias} = given();
        const held = living();
        const call = {mask, attnBias, training: true, seed: 1};
        const out = localAttention(q, k, v, options, call);
        expect(living()).toEqual({tensors: held.tensors + 1, dataIds: held.dataIds + 1});
        tf.dispose([q, k, v, mask, attnBias, out]);
      });

      test('leaves its result and its gradients alone', () => {
        const {q, k, v, mask, attnBias} = given();
        const held = living();
        const call = {mask, training: true, seed: 1};
        const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
          localAttention(q, k, v, options, {...call, attnBias}),
        )([q, k, v, attnBias]);
        expect(living()).toEqual({tensors: held.tensors + 5, dataIds: held.dataIds + 5});
        tf.dispose([q, k, v, mask, attnBias, value, grads]);
      });
    },
  );

  test.each(OPTIONS.map((options) => [JSON.stringify(options), options] as const))(
    'localAttention %s leaves nothing, whichever of its kernels throws',
    (_, chosen) => {
      const options = {...chosen, implementation};
      const x = tf.ones([1, 8, 4]);
      const held = living();
      const call = {training: true, seed: 1};
      const runKernel = tf.engine().runKernel.bind(tf.engine());
      let left = Infinity;
      const spy = jest.spyOn(tf.engine(), 'runKernel').mockImplementation((...args) => {
        if (left-- === 0) throw new Error('the device is gone');
        return runKernel(...args);
      });
      localAttention(x, x, x, options, call).dispose();
      const kernels = spy.mock.calls.length;
      expect(kernels).toBeGreaterThan(0);
      for (let at = 0; at < kernels; at++) {
        left = at;
        expect(() => localAttention(x, x, x, options, call)).toThrow('the device is gone');
        expect({at, ...living()}).toEqual({at, ...held});
      }
      spy.mockRestore();
      x.dispose();
    },
  );

  test('rotary leaves its results alone', () => {
    const x = tf.ones([2, 8, 4]);
    const held = living();
    const table = rotary.angles(8, 4, {offset: 7});
    const scale = rotary.xposScale(8, 4, {scaleBase: 4});
    const out = rotary.apply(x, table, {scale});
    expect(living()).toEqual({tensors: held.tensors + 4, dataIds: held.dataIds + 4});
    tf.dispose([x, table.cos, table.sin, scale, out]);
  });

  describe.each(Object.entries(LAYERS))('%s', (_, make) => {
    test('apply leaves its result and weights alone, and dispose takes the weights', () => {
      const x = tf.randomNormal([2, 8, 6]);
      const layer = make({implementation});
      tf.dispose(layer.apply(x) as tf.Tensor);
      const held = living();
      for (const training of [false, true]) {
        const out = layer.apply(x, {training}) as tf.Tensor;
        expect(living()).toEqual({tensors: held.tensors + 1, dataIds: held.dataIds + 1});
        out.dispose();
      }
      x.dispose();
      layer.dispose();
    });

    test('predict and fit for three epochs leave the model as large as it was', async () => {
      const model = modelOf(make({implementation}));
      model.compile({optimizer: 'adam', loss: 'meanSquaredError'});
      const x = tf.tidy(() => tf.pad(tf.ones([2, 6, 6]), [[0, 0], [0, 2], [0, 0]])); // prettier-ignore
      const y = tf.ones([2, 8, 6]);
      await model.fit(x, y, {epochs: 1, verbose: 0}); // makes the optimizer's moments
      const held = living();
      await model.fit(x, y, {epochs: 3, batchSize: 1, verbose: 0});
      expect(living()).toEqual(held);
      const out = model.predict(x) as tf.Tensor;
      expect(living()).toEqual({tensors: held.tensors + 1, dataIds: held.dataIds + 1});
      tf.dispose([x, y, out]);
      model.optimizer.dispose();
      model.dispose();
    });
  });
});
