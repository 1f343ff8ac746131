import * as tf from '@tensorflow/tfjs';

const EPSILON = 1e-12;

/** x / max(‖x‖₂, 1e-12) over the last axis, as torch.nn.functional.normalize does. */
export function l2Normalize<T extends tf.Tensor>(x: T): T {
  // by the square, because the gradient of the root itself is NaN at 0
  const square = tf.sum(tf.square(x), -1, true);
  return tf.mul(x, tf.rsqrt(tf.maximum(square, EPSILON ** 2)));
}
