/** Dropout in the layers: in training only, by a new seed each step. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {describeSynchronous, useBackend} from '../support/backends';
import {living} from '../support/close';

const [B, N, D] = [2, 8, 4];
const OPTIONS = {windowSize: 4, dropout: 0.5};

const attention = (seed: number | null) => layers.localAttention({...OPTIONS, seed});
// the weights must not differ between layers, only the dropout
const mha = (seed: number | null) => {
  const kernelInitializer = tf.initializers.glorotNormal({seed: 1});
  return layers.localMHA({...OPTIONS, seed, dim: D, heads: 2, dimHead: 2, kernelInitializer});
};
const LAYERS: [string, (seed: number | null) => tf.layers.Layer][] = [
  ['LocalAttention', attention],
  ['LocalMHA', mha],
];

const TRAINING = {training: true};
const values = (x: tf.Tensor | tf.Tensor[] | tf.SymbolicTensor | tf.SymbolicTensor[]) =>
  Array.from((x as tf.Tensor).dataSync());

describeSynchronous('%s:', (backend) => {
  beforeAll(() => useBackend(backend));
  let before: ReturnType<typeof living>;
  beforeEach(() => void (before = living()));
  afterEach(() => {
    tf.disposeVariables();
    expect(living()).toEqual(before);
  });
  const claim = (name: string, body: () => void) => test(name, () => void tf.tidy(body));
  const x = () => tf.randomNormal([B, N, D], 0, 1, 'float32', 3);

  describe.each(LAYERS)('%s', (_, make) => {
    claim('apply drops with {training: true}, and neither without it nor with false', () => {
      const layer = make(1);
      const plain = values(layer.apply(x()));
      expect(values(layer.apply(x()))).toEqual(plain);
      expect(values(layer.apply(x(), {training: false}))).toEqual(plain);
      expect(values(layer.apply(x(), TRAINING))).not.toEqual(plain);
    });

    claim('each step draws another mask, and the same seed draws the same ones', () => {
      const draw = (layer: tf.layers.Layer) =>
        [1, 2, 3].map(() => values(layer.apply(x(), TRAINING)));
      const first = draw(make(5));
      expect(new Set(first.map(String)).size).toBe(3);
      expect(draw(make(5))).toEqual(first);
      expect(draw(make(6))).not.toEqual(first);
    });

    claim('layers without a seed draw masks of their own', () => {
      const [a, b] = [make(null), make(null)];
      expect(values(a.apply(x(), TRAINING))).not.toEqual(values(b.apply(x(), TRAINING)));
    });

    claim('predict and evaluate drop nothing', () => {
      const layer = make(1);
      const input = tf.input({shape: [N, D]});
      const model = tf.model({inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor});
      const plain = layer.apply(x()) as tf.Tensor;
      expect(values(model.predict(x()))).toEqual(values(plain));
      model.compile({loss: 'meanSquaredError', optimizer: 'sgd'});
      expect((model.evaluate(x(), plain) as tf.Scalar).dataSync()[0]).toBe(0);
      model.dispose();
    });
  });

  claim('the mean over many steps is near what nothing dropped gives', () => {
    const layer = attention(1);
    const plain = layer.apply(x()) as tf.Tensor;
    const steps = 200;
    let sum = tf.zerosLike(plain);
    for (let step = 0; step < steps; step++) {
      sum = tf.tidy(() => tf.add(sum, layer.apply(x(), TRAINING) as tf.Tensor));
    }
    const error = values(tf.max(tf.abs(tf.sub(tf.div(sum, steps), plain))))[0];
    // one step is off by its standard deviation, at most |weights|₂ · |v| ≤ max|v|, √2 for safety
    const deviation = values(tf.max(tf.abs(x())))[0] * Math.SQRT2;
    expect(error).toBeLessThan((4 * deviation) / Math.sqrt(steps)); // four of the mean's
  });

  test('fit drops: the loss of a perfect answer is not 0, and differs between epochs', async () => {
    const input = tf.input({shape: [N, D]});
    const model = tf.model({inputs: input, outputs: mha(2).apply(input) as tf.SymbolicTensor});
    const given = x();
    const plain = model.predict(given) as tf.Tensor;
    const optimizer = tf.train.sgd(0);
    model.compile({loss: 'meanSquaredError', optimizer});
    const data = {epochs: 3, verbose: 0, validationData: [given, plain] as [tf.Tensor, tf.Tensor]};
    const {history} = await model.fit(given, plain, data);
    expect(new Set(history.loss).size).toBe(3);
    expect(Math.min(...(history.loss as number[]))).toBeGreaterThan(0.01);
    expect(history.val_loss).toEqual([0, 0, 0]);
    tf.dispose([given, plain]);
    optimizer.dispose();
    model.dispose();
  });
});
