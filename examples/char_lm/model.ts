import * as tf from '@tensorflow/tfjs';
import {Implementation, layers} from 'tfjs-local-attention';

export interface ModelShape {
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

/** How many characters the logits of a position depend on, itself included. */
export function contextOf({depth, window}: Pick<ModelShape, 'depth' | 'window'>): number {
  return depth * window + 1;
}

/**
 * One-hot characters [B, n, V] -> logits of the character after each [B, n, V], any n:
 *
 *     embedding → depth × {x + LocalMHA(x); x + FeedForward(x)} → LayerNorm → V logits
 *
 * Its dense layers and layer normalizations train at speed after registerFasterKernels().
 */
export function buildModel(alphabetSize: number, shape: ModelShape): tf.LayersModel {
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
