import * as tf from '@tensorflow/tfjs';

/** torch.nn.LayerNorm's. */
const EPSILON = 1e-5;

/**
 * Layer normalization over the last axis (Ba et al. 2016):
 *
 *     y = gamma · x̂ + beta,   x̂ = (x − mean) / √(variance + 1e-5)
 *
 * with a gradient in closed form: autodiff would keep x, its deviations, their squares and x̂.
 *
 * @param x [..., D]
 * @param gamma [D]
 * @param beta [D]
 */
export function layerNorm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const [x, gamma, beta, save] = args as unknown as [...tf.Tensor[], tf.GradSaveFunc] as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.GradSaveFunc,
    ];
    save([x, gamma]);
    const {normal} = normalize(x);
    return {
      value: tf.add(tf.mul(normal, gamma), beta),
      gradFunc: (dy: tf.Tensor, [x, gamma]: tf.Tensor[]) => gradients(dy, x, gamma),
    };
  });
  return operation(x, gamma, beta);
}

function normalize(x: tf.Tensor): {normal: tf.Tensor; inverse: tf.Tensor} {
  const deviation = tf.sub(x, tf.mean(x, -1, true));
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(deviation), -1, true), EPSILON));
  return {normal: tf.mul(deviation, inverse), inverse};
}

function gradients(dy: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor): tf.Tensor[] {
  const {normal, inverse} = normalize(x);
  const dNormal = tf.mul(dy, gamma);
  const along = tf.mul(normal, tf.mean(tf.mul(dNormal, normal), -1, true));
  const across = tf.sub(dNormal, tf.mean(dNormal, -1, true));
  const width = gamma.size;
  const rows = (y: tf.Tensor) => tf.sum(tf.reshape(y, [-1, width]), 0);
  return [tf.mul(tf.sub(across, along), inverse), rows(tf.mul(dy, normal)), rows(dy)];
}
