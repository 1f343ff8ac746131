/** Training a language model on wasm by the fused kernels, and what a step takes in memory. */
import * as tf from '@tensorflow/tfjs';

import {peakOf} from '../../bench/memory';
import {Implementation, layers} from '../../src';
import {FUSED, useAnyBuild, useImplementation} from '../support/implementations';
import {sumTolerance} from '../support/tolerance';

const VOCABULARY = 11;
const DIM = 16;
const HEADS = 2;
const WINDOW = 256;

/** Tokens in, logits of the next one out; the same weights each time. */
function languageModel(n: number, implementation: Implementation): tf.LayersModel {
  const kernelInitializer = tf.initializers.glorotUniform({seed: 2});
  const tokens = tf.input({shape: [n], dtype: 'int32'});
  const embedding = tf.layers.embedding({
    inputDim: VOCABULARY,
    outputDim: DIM,
    embeddingsInitializer: tf.initializers.randomUniform({minval: -1, maxval: 1, seed: 1}),
  });
  const attention = layers.localMHA({
    dim: DIM,
    heads: HEADS,
    dimHead: DIM,
    windowSize: WINDOW,
    causal: true,
    implementation,
    kernelInitializer,
  });
  const embedded = embedding.apply(tokens);
  const logits = tf.layers
    .dense({units: VOCABULARY, kernelInitializer})
    .apply(tf.layers.add().apply([embedded, attention.apply(embedded)] as tf.SymbolicTensor[]));
  return tf.model({inputs: tokens, outputs: logits as tf.SymbolicTensor});
}

/** A melody of period 7, which one token predicts no better than two in seven. */
function melody(n: number): {x: tf.Tensor2D; y: tf.Tensor3D} {
  const notes = [3, 1, 4, 1, 5, 1, 2];
  const tokens = Array.from({length: n + 1}, (_, i) => notes[i % notes.length]);
  const y = tf.oneHot(tf.tensor2d(tokens.slice(1), [1, n], 'int32'), VOCABULARY) as tf.Tensor3D;
  return {x: tf.tensor2d(tokens.slice(0, n), [1, n], 'int32'), y};
}

// not tf.losses.softmaxCrossEntropy, in which the engine finds a leak of TF.js's own
function crossEntropy(labels: tf.Tensor, logits: tf.Tensor): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1))) as tf.Scalar;
}

const ON_WASM = FUSED.filter(([, {backend}]) => backend === 'wasm');

(ON_WASM.length > 0 ? describe.each(ON_WASM) : describe.skip.each(FUSED))('%s', (name, one) => {
  beforeAll(() => useImplementation(one));
  afterAll(useAnyBuild);

  test('an embedding, LocalMHA and a dense layer learn by fit what the composite learns', async () => {
    const n = 600;
    const {x, y} = melody(n);
    const losses: number[][] = [];
    for (const implementation of ['fused', 'composite'] as const) {
      const model = languageModel(n, implementation);
      const optimizer = tf.train.adam(0.05);
      model.compile({optimizer, loss: crossEntropy});
      const {history} = await model.fit(x, y, {epochs: 4, verbose: 0});
      losses.push(history.loss as number[]);
      model.dispose();
      optimizer.dispose();
    }
    tf.dispose([x, y]);
    const [fused, composite] = losses;
    expect(fused[3]).toBeLessThan(fused[0] / 1.5);
    // a loss is a mean over all tokens; steps of adam carry what differs on to the next
    const most = 4 * sumTolerance(n);
    fused.forEach((loss, epoch) =>
      expect(Math.abs(loss / composite[epoch] - 1)).toBeLessThan(most),
    );
  });

  test('a step at n = 4096 takes less than a third of the memory that the composite takes', async () => {
    const n = 4096;
    const {x, y} = melody(n);
    const peaks: number[] = [];
    for (const implementation of ['fused', 'composite'] as const) {
      const model = languageModel(n, implementation);
      const loss = () => crossEntropy(y, model.apply(x) as tf.Tensor);
      const step = () => tf.tidy(() => Object.values(tf.variableGrads(loss).grads));
      tf.dispose(step()); // what is allocated once, such as the memory of cpu's kernels
      const {results, peakMiB} = await peakOf(step);
      peaks.push(peakMiB);
      tf.dispose(results);
      model.dispose();
    }
    tf.dispose([x, y]);
    const [fused, composite] = peaks;
    console.log(
      `${name}: a step takes ${fused.toFixed(1)} MiB, ${composite.toFixed(1)} by the composite`,
    );
    expect(fused).toBeLessThan(composite / 3);
  });
});
