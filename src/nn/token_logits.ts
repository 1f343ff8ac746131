import * as tf from '@tensorflow/tfjs';

import {nothing} from '../attention/nothing';
import {normProject} from './layer_norm';

/** The parameters by the names that they are saved under. */
export interface TokenLogitsWeights {
  /** [D] */
  'norm/gamma': tf.Tensor;
  'norm/beta': tf.Tensor;
  /** [D, V] */
  kernel: tf.Tensor;
}

/** x [B, n, D] → LayerNorm → the logits of the next token, [B, n, V] */
export function tokenLogits(x: tf.Tensor, weights: TokenLogitsWeights): tf.Tensor {
  const [batch, n, dim] = x.shape;
  const [, numTokens] = weights.kernel.shape as [number, number];
  const shape = [batch, n, numTokens];
  if (x.size === 0) return nothing([x, ...Object.values(weights)], shape);
  return tf.tidy(() => {
    const tokens = tf.reshape(x, [batch * n, dim]);
    const norm = {gamma: weights['norm/gamma'], beta: weights['norm/beta']};
    return tf.reshape(normProject(tokens, norm, weights.kernel), shape);
  });
}
