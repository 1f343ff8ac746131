import * as tf from '@tensorflow/tfjs';
import {Implementation, localTransformer} from 'tfjs-local-attention';

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

/**
 * Characters [B, n], any n -> logits of the character after each [B, n, V]. Without absolute positions it
 * writes on without end, though it is trained on texts of a hundred characters or so.
 */
export function buildModel(alphabetSize: number, shape: ModelShape): tf.LayersModel {
  const {dim, heads, depth, window, seed, implementation} = shape;
  return localTransformer({
    numTokens: alphabetSize,
    absolutePositions: false,
    dim,
    depth,
    heads,
    dimHead: dim / heads,
    localAttnWindowSize: window,
    numResidualStreams: 1,
    initializers: {embeddings: tf.initializers.randomNormal({stddev: 1 / 3, seed})},
    seed,
    implementation,
  });
}
