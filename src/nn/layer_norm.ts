import * as tf from '@tensorflow/tfjs';

import {closedForm} from './closed_form';

/** torch.nn.LayerNorm's. */
const EPSILON = 1e-5;

/** The parameters of a norm, [D] each. */
export interface Norm {
  gamma: tf.Tensor;
  beta: tf.Tensor;
}

/**
 * Layer normalization over the last axis (Ba et al. 2016):
 *
 *     y = gamma · x̂ + beta,   x̂ = (x − mean) / √(variance + 1e-5)
 *
 * with a gradient in closed form: autodiff would keep x, its deviations, their squares and x̂.
 *
 * @param x [..., D]
 */
export function layerNorm(x: tf.Tensor, {gamma, beta}: Norm): tf.Tensor {
  return closedForm(
    [x, gamma, beta],
    ([x, gamma, beta]) => normalized(x, {gamma, beta}),
    (dy, [x, gamma]) => normGradients(dy, x, gamma),
  );
}

/**
 * {@link layerNorm} and then a product, of matrices: the normalised x is made again for the gradient.
 *
 * @param x [rows, D]
 * @param kernel [D, m]
 * @returns [rows, m]
 */
export function normProject(x: tf.Tensor, {gamma, beta}: Norm, kernel: tf.Tensor): tf.Tensor {
  return closedForm(
    [x, gamma, beta, kernel],
    ([x, gamma, beta, kernel]) => tf.matMul(normalized(x, {gamma, beta}), kernel),
    (dy, [x, gamma, beta, kernel]) => normProjectGradients(dy, x, {gamma, beta}, kernel),
  );
}

/** Of x, gamma, beta and the kernel. */
export function normProjectGradients(
  dy: tf.Tensor,
  x: tf.Tensor,
  norm: Norm,
  kernel: tf.Tensor,
): tf.Tensor[] {
  // transposed first: TF.js's wasm backend computes transposed products ten times slower
  const dKernel = tf.tidy(() => tf.matMul(tf.transpose(normalized(x, norm)), dy));
  const dNormalized = tf.tidy(() => tf.matMul(dy, tf.transpose(kernel)));
  return [...normGradients(dNormalized, x, norm.gamma), dKernel];
}

/** The value of {@link layerNorm}. */
export function normalized(x: tf.Tensor, {gamma, beta}: Norm): tf.Tensor {
  return tf.tidy(() => tf.add(tf.mul(normalize(x).normal, gamma), beta));
}

function normalize(x: tf.Tensor): {normal: tf.Tensor; inverse: tf.Tensor} {
  const deviation = tf.sub(x, tf.mean(x, -1, true));
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(deviation), -1, true), EPSILON));
  return {normal: tf.mul(deviation, inverse), inverse};
}

/** Of x, gamma and beta. */
function normGradients(dy: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor): tf.Tensor[] {
  return tf.tidy(() => {
    const {normal, inverse} = normalize(x);
    const dNormal = tf.mul(dy, gamma);
    const along = tf.mul(normal, tf.mean(tf.mul(dNormal, normal), -1, true));
    const across = tf.sub(dNormal, tf.mean(dNormal, -1, true));
    const rows = (y: tf.Tensor) => tf.sum(tf.reshape(y, [-1, gamma.size]), 0);
    return [tf.mul(tf.sub(across, along), inverse), rows(tf.mul(dy, normal)), rows(dy)];
  });
}
