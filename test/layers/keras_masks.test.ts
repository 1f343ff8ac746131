/** Keras masks, by which tf.layers.masking and embedding({maskZero}) tell the layers after them. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [BATCH, N, D] = [2, 6, 4];
// token 1 of the first sequence and the end of the second are missing
const KEPT = [
  [1, 0, 1, 1, 1, 1],
  [1, 1, 1, 0, 0, 0],
];

const attention = () => layers.localAttention({windowSize: 2});
const mha = () => layers.localMHA({dim: D, windowSize: 4, heads: 2, dimHead: 2});
const LAYERS: [string, () => tf.layers.Layer][] = [
  ['LocalAttention', attention],
  ['LocalMHA', mha],
];

type Node = tf.SymbolicTensor;
const node = (layer: tf.layers.Layer, ...inputs: Node[]) =>
  layer.apply(inputs.length === 1 ? inputs[0] : inputs) as Node;
const masked = (x: Node) => node(tf.layers.masking({maskValue: 0}), x);
const mask = () => tf.tensor(KEPT, [BATCH, N], 'bool');
const run = (model: tf.LayersModel, ...inputs: tf.Tensor[]) =>
  model.predict(inputs.length === 1 ? inputs[0] : inputs) as tf.Tensor;

/** Tokens, those that are missing all `value`. */
function tokens(value = 0): tf.Tensor {
  return tf.tidy(() => {
    const x = tf.randomNormal([BATCH, N, D], 0, 1, 'float32', 3);
    return tf.where(tf.expandDims(mask(), -1), x, tf.fill([BATCH, N, D], value));
  });
}

/** Output of every token that is there; the rest 0. */
const present = (x: tf.Tensor) =>
  tf.tidy(() => {
    const keep = tf.expandDims(mask(), -1);
    return tf.where(keep, x, tf.zerosLike(x)).dataSync();
  });

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => {
    tf.disposeVariables();
    expect(living()).toEqual(before);
  });
  // a test may leave tensors and models; its variables are disposed above
  const claim = (name: string, body: () => void) => test(name, () => void tf.tidy(body));

  describe.each(LAYERS)('%s', (_, make) => {
    claim('after masking, it answers as with the same mask given as an input', () => {
      const x = tf.input({shape: [N, D]});
      const explicit = tf.input({shape: [N], dtype: 'bool'});
      const layer = make();
      const keras = tf.model({inputs: x, outputs: node(layer, masked(x))});
      const given = tf.model({inputs: [x, explicit], outputs: node(layer, x, explicit)});
      const got = run(keras, tokens());
      expect(got.dataSync()).toEqual(run(given, tokens(), mask()).dataSync());
      expect(got.dataSync()).not.toEqual(run(given, tokens(), tf.onesLike(mask())).dataSync());
    });

    claim('after embedding({maskZero}), tokens that are missing have no influence', () => {
      const ids = tf.input({shape: [N]});
      const table = tf.layers.embedding({inputDim: 9, outputDim: D, maskZero: true});
      const model = tf.model({inputs: ids, outputs: node(make(), node(table, ids))});
      const x = tf.mul(tf.tensor(KEPT), tf.tensor([[3, 4, 5, 6, 7, 8]]));
      const first = present(run(model, x));
      const [weights] = table.getWeights();
      const other = tf.concat([tf.fill([1, D], 5), tf.slice(weights, [1, 0])]);
      table.setWeights([other]); // what a missing token looks like
      expect(present(run(model, x))).toEqual(first);
    });

    claim('the mask goes on, to an LSTM and to attention after it', () => {
      const x = tf.input({shape: [N, D]});
      for (const last of [tf.layers.lstm({units: 3}), make()]) {
        const layer = make();
        const model = tf.model({inputs: x, outputs: node(last, node(layer, masked(x)))});
        const inner = layer.apply([tokens(), mask()]) as tf.Tensor;
        const wanted = last.apply(inner, {mask: mask()}) as tf.Tensor;
        expect(run(model, tokens()).dataSync()).toEqual(wanted.dataSync());
        expect(wanted.dataSync()).not.toEqual((last.apply(inner) as tf.Tensor).dataSync());
      }
    });

    claim('the mask goes through the sums of residual connections', () => {
      const x = tf.input({shape: [N, D]});
      const [first, second, third] = [make(), make(), make()];
      const add = (a: Node, b: Node) => node(tf.layers.add(), a, b);
      const h = add(masked(x), node(first, masked(x)));
      const g = add(h, node(second, h));
      const model = tf.model({inputs: x, outputs: node(third, g)});
      const apply = (layer: tf.layers.Layer, y: tf.Tensor) => layer.apply([y, mask()]) as tf.Tensor;
      const wantedH = tf.add(tokens(), apply(first, tokens()));
      const wanted = apply(third, tf.add(wantedH, apply(second, wantedH)));
      expect(run(model, tokens()).dataSync()).toEqual(wanted.dataSync());
    });

    claim('a mask input and the Keras mask hide what either hides', () => {
      const x = tf.input({shape: [N, D]});
      const explicit = tf.input({shape: [N], dtype: 'bool'});
      const layer = make();
      const model = tf.model({inputs: [x, explicit], outputs: node(layer, masked(x), explicit)});
      const other = tf.tensor([1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0], [BATCH, N], 'bool');
      const wanted = layer.apply([tokens(), tf.logicalAnd(mask(), other)]) as tf.Tensor;
      expect(run(model, tokens(), other).dataSync()).toEqual(wanted.dataSync());
    });

    claim('a mask in the call of apply means the same as a mask input', () => {
      const layer = make();
      const wanted = layer.apply([tokens(), mask()]) as tf.Tensor;
      const got = layer.apply(tokens(), {mask: mask()}) as tf.Tensor;
      expect(got.dataSync()).toEqual(wanted.dataSync());
      expect(() => layer.apply(tokens(), {mask: tf.ones([BATCH, N + 1], 'bool')})).toThrow(
        /mask must be a living tensor of shape \[2, 6\], got a bool tensor of shape \[2, 7\]/,
      );
      expect(() => layer.apply(tokens(), {mask: tf.ones([3, BATCH, N], 'bool')})).toThrow(
        /mask must be a living tensor of shape \[2, 6\], got a bool tensor of shape \[3, 2, 6\]/,
      );
      expect(() => layer.apply(tokens(), {mask: tf.ones([BATCH, N])})).toThrow(
        /mask must be bool .*, got a float32 tensor of shape \[2, 6\]/,
      );
      expect((layer.apply(tokens(), {mask: mask()}) as tf.Tensor).dataSync()).toEqual(
        wanted.dataSync(), // an error has broken nothing
      );
    });

    claim('evaluate and model.apply see the mask as predict does', () => {
      const x = tf.input({shape: [N, D]});
      const layer = make();
      const model = tf.model({inputs: x, outputs: node(layer, masked(x))});
      const wanted = layer.apply([tokens(), mask()]) as tf.Tensor;
      expect(run(model, tokens()).dataSync()).toEqual(wanted.dataSync());
      expect((model.apply(tokens()) as tf.Tensor).dataSync()).toEqual(wanted.dataSync());
      model.compile({loss: 'meanSquaredError', optimizer: 'sgd'});
      expect((model.evaluate(tokens(), wanted) as tf.Scalar).dataSync()[0]).toBe(0);
      model.dispose();
    });

    claim('the mask goes through a rotary embedding', () => {
      const x = tf.input({shape: [N, D]});
      const [rotary, layer] = [layers.rotaryEmbedding(), make()];
      const model = tf.model({inputs: x, outputs: node(layer, node(rotary, masked(x)))});
      const wanted = layer.apply([rotary.apply(tokens()) as tf.Tensor, mask()]) as tf.Tensor;
      expect(run(model, tokens()).dataSync()).toEqual(wanted.dataSync());
    });
  });

  test('fit and trainOnBatch see the mask as predict does', async () => {
    const x = tf.input({shape: [N, D]});
    const layer = mha();
    const model = tf.model({inputs: x, outputs: node(layer, masked(x))});
    const [given, kept] = [tokens(), mask()];
    const wanted = layer.apply([given, kept]) as tf.Tensor;
    const optimizer = tf.train.sgd(0);
    model.compile({loss: 'meanSquaredError', optimizer});
    expect(await model.trainOnBatch(given, wanted)).toBe(0);
    const {history} = await model.fit(given, wanted, {
      batchSize: BATCH,
      shuffle: false,
      verbose: 0,
    });
    expect(history.loss).toEqual([0]);
    tf.dispose([given, kept, wanted]);
    optimizer.dispose();
  });
});
