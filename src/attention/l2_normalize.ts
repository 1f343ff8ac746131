import * as tf from '@tensorflow/tfjs';

const EPSILON = 1e-12;

/** x / max(‖x‖₂, 1e-12) over the last axis, as torch.nn.functional.normalize does. */
export function l2Normalize<T extends tf.Tensor>(x: T): T {
  // by the square, because the gradient of the root itself is NaN at 0; and the short ones apart,
  // because gradients of gradients divide by powers of the square that float32 does not hold
  const square = tf.sum(tf.square(x), -1, true);
  const long = isLong(square);
  const inverse = tf.rsqrt(tf.where(long, square, 1));
  return tf.mul(x, tf.where(long, inverse, 1 / EPSILON));
}

// a comparison has no gradient in tfjs, not even zero
function isLong(square: tf.Tensor): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.greater(x as tf.Tensor, EPSILON ** 2),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(square);
}
