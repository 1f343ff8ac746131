import * as tf from '@tensorflow/tfjs';

import {closedForm} from './closed_form';
import {matMul} from './mat_mul';

/**
 * x W, of matrices, with a gradient of our {@link matMul}: TF.js's own asks for transposed products, which
 * its wasm backend computes ten times slower than plain ones.
 */
export function multiply(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  return closedForm(
    [x, weights],
    ([x, weights]) => tf.matMul(x, weights),
    (dy, [x, weights]) => multiplyGradients(dy, x, weights),
  );
}

/** Of x and W. */
export function multiplyGradients(dy: tf.Tensor, x: tf.Tensor, weights: tf.Tensor): tf.Tensor[] {
  return [matMul(dy, weights, false, true), matMul(x, dy, true, false)];
}
