/** x / max(‖x‖₂, 1e-12) over the last axis, as torch.nn.functional.normalize does. */
import * as tf from '@tensorflow/tfjs';

const EPSILON = 1e-12;

export function l2Normalize<T extends tf.Tensor>(x: T): T {
  return tf.mul(x, inverseNorm(x).inverse);
}

/** The gradient of x, of that of x / ‖x‖; where the norm is below its least value, a constant factor. */
export function l2NormalizeGradient<T extends tf.Tensor>(x: T, dy: T): T {
  const {inverse, long} = inverseNorm(x);
  const normal = tf.where(long, tf.mul(x, inverse), 0);
  const along = tf.sum(tf.mul(normal, dy), -1, true);
  return tf.mul(tf.sub(dy, tf.mul(normal, along)), inverse);
}

function inverseNorm(x: tf.Tensor): {inverse: tf.Tensor; long: tf.Tensor} {
  return inverseRoot(tf.sum(tf.square(x), -1, true));
}

/** 1 / max(√square, 1e-12), and where the root is the larger. */
export function inverseRoot(square: tf.Tensor): {inverse: tf.Tensor; long: tf.Tensor} {
  // by the square, because the gradient of the root itself is NaN at 0; and the short ones apart,
  // because gradients of gradients divide by powers of the square that float32 does not hold
  const long = isLong(square);
  const inverse = tf.rsqrt(tf.where(long, square, 1));
  return {inverse: tf.where(long, inverse, 1 / EPSILON), long};
}

// a comparison has no gradient in tfjs, not even zero
function isLong(square: tf.Tensor): tf.Tensor {
  return tf.customGrad((x) => ({
    value: tf.greater(x as tf.Tensor, EPSILON ** 2),
    gradFunc: (dy) => tf.zerosLike(dy),
  }))(square);
}
