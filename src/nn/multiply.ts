import * as tf from '@tensorflow/tfjs';

import {closedForm} from './closed_form';

/**
 * x W, of matrices, with a gradient that transposes before it multiplies: TF.js's own asks for
 * transposed products, which its wasm backend computes ten times slower than plain ones.
 */
export function multiply(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return closedForm(
    [x, weights],
    ([x, weights]) => tf.matMul(x, weights),
    (dy, [x, weights]) => [tf.matMul(dy, tf.transpose(weights)), tf.matMul(tf.transpose(x), dy)],
  );
}
