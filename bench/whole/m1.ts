/** An ordinary transformer, of the layers that TF.js has and LocalMHA. */
import * as tf from '@tensorflow/tfjs';
import {Implementation, layers} from 'tfjs-local-attention';

const VOCABULARY = 256;
const DIM = 256;
const HEADS = 4;
const DEPTH = 2;
const WINDOW = 64;

/**
 * Ids [B, n] -> logits of the id after each [B, n, 256]:
 *
 *     embedding → 2 × {x + LocalMHA(LayerNorm(x)); x + dense(gelu(dense(LayerNorm(x))))} → dense
 */
export function buildM1(implementation: Implementation): tf.LayersModel {
  let seed = 0;
  const uniform = () => tf.initializers.glorotUniform({seed: ++seed});
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor) =>
    layer.apply(x) as tf.SymbolicTensor;
  const add = (...terms: tf.SymbolicTensor[]) => tf.layers.add().apply(terms) as tf.SymbolicTensor;
  const norm = (x: tf.SymbolicTensor) => apply(tf.layers.layerNormalization(), x);
  const dense = (units: number, x: tf.SymbolicTensor, activation?: 'gelu') =>
    apply(tf.layers.dense({units, activation, kernelInitializer: uniform()}), x);

  const ids = tf.input({shape: [null], dtype: 'int32'});
  const embeddingsInitializer = tf.initializers.randomUniform({minval: -0.05, maxval: 0.05, seed: ++seed}); // prettier-ignore
  const embedding = {inputDim: VOCABULARY, outputDim: DIM, embeddingsInitializer};
  let x = apply(tf.layers.embedding(embedding), ids);
  for (let block = 0; block < DEPTH; block++) {
    const attention = layers.localMHA({
      dim: DIM,
      heads: HEADS,
      dimHead: DIM / HEADS,
      windowSize: WINDOW,
      causal: true,
      implementation,
      kernelInitializer: uniform(),
    });
    x = add(x, apply(attention, norm(x)));
    x = add(x, dense(DIM, dense(4 * DIM, norm(x), 'gelu')));
  }
  return tf.model({inputs: ids, outputs: dense(VOCABULARY, x)});
}
