import * as tf from '@tensorflow/tfjs';
import {Implementation, layers} from 'tfjs-local-attention';

import {LayerNorm, Linear} from './layers';

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
 */
export function buildModel(alphabetSize: number, shape: ModelShape): tf.LayersModel {
  const {dim, heads, depth, window, implementation = 'auto'} = shape;
  let {seed} = shape;
  const nextSeed = () => ++seed;
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor) =>
    layer.apply(x) as tf.SymbolicTensor;
  const sum = (...terms: tf.SymbolicTensor[]) => tf.layers.add().apply(terms) as tf.SymbolicTensor;

  const characters = tf.input({shape: [null, alphabetSize]});
  // a matrix product with one-hot rows is an embedding
  const gain = Math.sqrt(alphabetSize) / 3;
  let x = apply(new Linear({units: dim, gain, seed: nextSeed()}), characters);
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
    const widen = new Linear({units: 4 * dim, seed: nextSeed()});
    const narrow = new Linear({units: dim, gain: 0.5, seed: nextSeed()});
    const hidden = apply(tf.layers.reLU(), apply(widen, apply(new LayerNorm(), x)));
    x = sum(x, apply(narrow, hidden));
  }
  const head = new Linear({units: alphabetSize, gain: 0.3, seed: nextSeed()});
  return tf.model({inputs: characters, outputs: apply(head, apply(new LayerNorm(), x))});
}
