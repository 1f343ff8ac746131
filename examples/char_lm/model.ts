import * as tf from '@tensorflow/tfjs';
import {localTransformer} from 'tfjs-local-attention';

import {ModelShape, transformerOptions} from './shape';

/** Characters [B, n], any n -> logits of the character after each [B, n, V]. */
export function buildModel(alphabetSize: number, shape: ModelShape): tf.LayersModel {
  const embeddings = tf.initializers.randomNormal({stddev: 1 / 3, seed: shape.seed});
  return localTransformer({
    ...transformerOptions(alphabetSize, shape),
    initializers: {embeddings},
  });
}
