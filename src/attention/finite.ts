import * as tf from '@tensorflow/tfjs';

/** x, zeros for what is not finite; a gradient passes as it is. */
export function finiteOnly<T extends tf.Tensor>(x: T): T {
  const operation = tf.customGrad((x) => ({
    value: tf.where(tf.isFinite(x as tf.Tensor), x as tf.Tensor, 0),
    gradFunc: (dy) => dy,
  }));
  return operation(x) as T;
}

/** {@link finiteOnly} but for −∞, which is a way to hide a key. */
export function finiteBias<T extends tf.Tensor>(bias: T): T {
  const operation = tf.customGrad((x) => ({
    value: tf.where(badBias(x as tf.Tensor), 0, x as tf.Tensor),
    gradFunc: (dy) => dy,
  }));
  return operation(bias) as T;
}

/** Whether a bias is no number, or so large that no softmax holds it. */
export function badBias(x: tf.Tensor): tf.Tensor {
  return tf.logicalNot(tf.logicalOr(tf.isFinite(x), tf.equal(x, -Infinity)));
}
