import * as tf from '@tensorflow/tfjs';
import {Implementation, layers} from 'tfjs-local-attention';

export interface CharacterModelShape {
  /** Size of a position. */
  dim: number;
  heads: number;
  /** Number of blocks. */
  depth: number;
  /** Each block sees this many characters back, and the character itself. */
  window: number;
  seed: number;
  /** Of the attention; without it, the fastest. */
  implementation?: Implementation;
}

/**
 * A character model of layers of TF.js around LocalMHA:
 * one-hot characters [B, n, V] -> logits of the character after each [B, n, V], any n:
 *
 *     embedding → depth × {x + LocalMHA(x); x + FeedForward(x)} → LayerNorm → V logits
 *
 * Its dense layers and layer normalizations train at speed after registerFasterKernels().
 */
export function buildM2(alphabetSize: number, shape: CharacterModelShape): tf.LayersModel {
  const {dim, heads, depth, window, implementation = 'auto'} = shape;
  let {seed} = shape;
  const nextSeed = () => ++seed;
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor) =>
    layer.apply(x) as tf.SymbolicTensor;
  const sum = (...terms: tf.SymbolicTensor[]) => tf.layers.add().apply(terms) as tf.SymbolicTensor;

  const dense = (units: number, gain: number, x: tf.SymbolicTensor) => {
    const stddev = gain / Math.sqrt(x.shape[2]!);
    const kernelInitializer = tf.initializers.randomNormal({stddev, seed: nextSeed()});
    return apply(tf.layers.dense({units, useBias: false, kernelInitializer}), x);
  };
  const norm = (x: tf.SymbolicTensor) => apply(tf.layers.layerNormalization({epsilon: 1e-5}), x);

  const characters = tf.input({shape: [null, alphabetSize]});
  // a matrix product with one-hot rows is an embedding
  let x = dense(dim, Math.sqrt(alphabetSize) / 3, characters);
  for (let block = 0; block < depth; block++) {
    const attention = layers.localMHA({
      dim,
      heads,
      dimHead: dim / heads,
      windowSize: window,
      causal: true,
      prenorm: true,
      implementation,
      kernelInitializer: tf.initializers.glorotNormal({seed: nextSeed()}),
    });
    x = sum(x, apply(attention, x));
    const hidden = apply(tf.layers.reLU(), dense(4 * dim, 1, norm(x)));
    x = sum(x, dense(dim, 0.5, hidden));
  }
  return tf.model({inputs: characters, outputs: dense(alphabetSize, 0.3, norm(x))});
}

/** [B · n] -> [B, n, V] */
export function oneHot(ids: Int32Array, length: number, size: number): tf.Tensor {
  const rows = tf.tensor2d(ids, [ids.length / length, length], 'int32');
  // cast, because tf.oneHot(…, 'float32') gives the bits of integers on wasm
  return tf.tidy(() => tf.cast(tf.oneHot(rows, size), 'float32'));
}

/** Nats per character, the mean over all positions. */
export function crossEntropy(target: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const size = logits.shape[2]!;
  return tf.losses.softmaxCrossEntropy(
    tf.reshape(target, [-1, size]),
    tf.reshape(logits, [-1, size]),
  );
}
