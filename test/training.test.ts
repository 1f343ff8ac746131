/**
 * Models train on every backend, by every implementation, as they do on cpu: what TF.js itself needs
 * for it (gradients and kernels of embeddings, norms, losses, optimizers) is there and right.
 *
 * An optimizer is told its epsilon: without one TF.js takes 1e-4 on webgl, and 1e-7 elsewhere.
 */
import * as tf from '@tensorflow/tfjs';

import {buildM2, oneHot} from '../bench/whole/m2';
import {Implementation, layers} from '../src';
import {keepsFloat16} from '../src/attention/float16';
import {living} from './support/close';
import {WITH_ALL_TARGETS, useAnyBuild, useImplementation} from './support/implementations';
import {sumTolerance} from './support/tolerance';

jest.setTimeout(240_000); // SwiftShader compiles for a while

const STEPS = 4;
const WORDS = 10;
/** Of three texts of 11, 8 and 5 words, filled up with 0. */
const TEXTS = [
  [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5],
  [8, 9, 7, 9, 3, 2, 3, 8, 0, 0, 0],
  [4, 6, 2, 6, 4, 0, 0, 0, 0, 0, 0],
];

interface Trained {
  model: tf.LayersModel;
  optimizer: tf.Optimizer;
  loss: string | ((labels: tf.Tensor, answers: tf.Tensor) => tf.Tensor);
  x: tf.Tensor[];
  y: tf.Tensor;
}

const adam = () => tf.train.adam(0.01, 0.9, 0.999, 1e-7);
const weights = (seed: number) => tf.initializers.randomUniform({minval: -0.4, maxval: 0.4, seed});
const apply = (layer: tf.layers.Layer, ...x: tf.SymbolicTensor[]) =>
  layer.apply(x.length > 1 ? x : x[0]) as tf.SymbolicTensor;

function embedding(): tf.layers.Layer {
  const embeddingsInitializer = weights(1);
  return tf.layers.embedding({
    inputDim: WORDS,
    outputDim: 12,
    maskZero: true,
    embeddingsInitializer,
  });
}

function attention(implementation: Implementation, options = {}): tf.layers.Layer {
  const sizes = {dim: 12, heads: 2, dimHead: 6, windowSize: 4};
  return layers.localMHA({
    ...sizes,
    kernelInitializer: weights(2),
    seed: 3,
    implementation,
    ...options,
  });
}

const dense = (units: number, seed: number, activation?: 'relu' | 'gelu' | 'softmax') =>
  tf.layers.dense({units, activation, kernelInitializer: weights(seed)});

const MODELS: Record<string, (implementation: Implementation) => Trained> = {
  // by whatever 'auto' finds
  'the character model of the bench'() {
    const text = Int32Array.from({length: 2 * 23}, (_, i) => (i * i) % 7);
    const model = buildM2(7, {dim: 16, heads: 2, depth: 1, window: 4, seed: 1});
    const loss = (labels: tf.Tensor, logits: tf.Tensor) =>
      tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1)));
    const [x, y] = [text, text.map((id) => (id + 1) % 7)].map((ids) =>
      tf.tidy(() => oneHot(ids, 23, 7)),
    );
    return {model, optimizer: adam(), loss, x: [x], y};
  },

  'a classifier of masked texts and facts: layerNormalization, gelu, dropout, pooling'(by) {
    const words = tf.input({shape: [null]});
    const facts = tf.input({shape: [4]});
    const embedded = apply(embedding(), words);
    const attended = apply(attention(by, {prenorm: true, dropout: 0.2}), embedded);
    const normal = apply(
      tf.layers.layerNormalization(),
      apply(tf.layers.add(), embedded, attended),
    );
    const hidden = apply(
      tf.layers.dropout({rate: 0.3, seed: 5}),
      apply(dense(20, 6, 'gelu'), normal),
    );
    const pooled = apply(tf.layers.globalAveragePooling1d({}), hidden);
    const both = apply(tf.layers.concatenate(), pooled, apply(dense(5, 7, 'relu'), facts));
    const outputs = apply(dense(3, 8, 'softmax'), both);
    return {
      model: tf.model({inputs: [words, facts], outputs}),
      optimizer: adam(),
      loss: 'categoricalCrossentropy',
      x: [tf.tensor2d(TEXTS), tf.randomUniform([3, 4], -1, 1, 'float32', 9)],
      y: tf.tensor2d([1, 0, 0, 0, 0, 1, 0, 1, 0], [3, 3]),
    };
  },

  'a tagger of words: sparse cross entropy, regularizers, sgd'(by) {
    const words = tf.input({shape: [null]});
    const attended = apply(
      attention(by, {causal: true, kernelRegularizer: 'l1l2'}),
      apply(embedding(), words),
    );
    return {
      model: tf.model({inputs: words, outputs: apply(dense(WORDS, 8, 'softmax'), attended)}),
      optimizer: tf.train.sgd(0.1),
      loss: 'sparseCategoricalCrossentropy',
      x: [tf.tensor2d(TEXTS)],
      y: tf.tensor3d(TEXTS.map((text) => text.map((word) => [word]))),
    };
  },

  'a regression by [q, k, v]: batchNormalization, max pooling, rmsprop'(implementation) {
    const signal = tf.input({shape: [12, 6]});
    const [q, k, v] = [8, 8, 10].map((units, i) => apply(dense(units, 11 + i), signal));
    const options = {windowSize: 4, useXpos: true, implementation};
    const attended = apply(layers.localAttention(options), q, k, v);
    const mixed = apply(dense(7, 14), apply(tf.layers.batchNormalization(), attended));
    return {
      model: tf.model({inputs: signal, outputs: apply(tf.layers.globalMaxPooling1d({}), mixed)}),
      optimizer: tf.train.rmsprop(0.005, 0.9, 0, 1e-7),
      loss: 'meanSquaredError',
      x: [tf.randomUniform([3, 12, 6], -1, 1, 'float32', 15)],
      y: tf.randomUniform([3, 7], -1, 1, 'float32', 16),
    };
  },
};

/** The loss before each step, and after the last a number of the model's answer. */
async function train(make: (typeof MODELS)[string], by: Implementation): Promise<number[]> {
  const {model, optimizer, loss, x, y} = make(by);
  model.compile({optimizer, loss: loss as string});
  const numbers: number[] = [];
  for (let step = 0; step < STEPS; step++) numbers.push((await model.trainOnBatch(x, y)) as number);
  const answer = model.predict(x) as tf.Tensor;
  numbers.push((await answer.data())[0]);
  tf.dispose([x, y, answer]);
  optimizer.dispose();
  model.dispose();
  return numbers;
}

const wanted: Record<string, number[]> = {};
beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const [name, make] of Object.entries(MODELS)) wanted[name] = await train(make, 'composite');
});

describe.each(WITH_ALL_TARGETS)('%s', (name, one) => {
  beforeAll(async () => {
    await useImplementation(one);
    tf.env().set('IS_TEST', false); // tfjs-node's own fused products would not pass
  });
  afterAll(useAnyBuild);

  test.each(Object.entries(MODELS))(
    'trains as on cpu, and leaves nothing: %s',
    async (model, make) => {
      if (keepsFloat16()) {
        console.log(`skipped: ${name}, ${model} (second moments of adam are below float16)`);
        return;
      }
      const before = living();
      const got = await train(make, one.implementation);
      expect(living()).toEqual(before);
      const want = wanted[model];
      console.log(`${name}, ${model}: ${got.map((x) => x.toFixed(5)).join(', ')}`);
      expect(want[STEPS - 1]).toBeLessThan(want[0]);
      // each step carries the errors of sums over some hundred terms on to the next
      for (const [step, x] of got.entries()) {
        expect(Math.abs(x - want[step])).toBeLessThan((step + 1) * sumTolerance(400));
      }
    },
  );
});
