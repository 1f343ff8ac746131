import * as tf from '@tensorflow/tfjs';

import {closedForm} from './closed_form';
import {matMul} from './mat_mul';
import {multiplyGradients} from './multiply';
import {hasKernel} from './own_kernel';

/** torch.nn.LayerNorm's. */
const EPSILON = 1e-5;

/** Its kernels, of inputs by these names and of the attribute epsilon. */
export const LAYER_NORM = 'LocalAttentionLayerNorm';
export const LAYER_NORM_GRADIENT = 'LocalAttentionLayerNormGradient';

/** The parameters of a norm, [D] each, and what is added to the variance: 1e-5 if it is not given. */
export interface Norm {
  gamma: tf.Tensor;
  beta: tf.Tensor;
  epsilon?: number;
}

/**
 * Layer normalization over the last axis (Ba et al. 2016):
 *
 *     y = gamma · x̂ + beta,   x̂ = (x − mean) / √(variance + epsilon)
 *
 * with a gradient in closed form: autodiff would keep x, its deviations, their squares and x̂.
 *
 * @param x [..., D]
 */
export function layerNorm(x: tf.Tensor, {gamma, beta, epsilon}: Norm): tf.Tensor {
  return closedForm(
    [x, gamma, beta],
    ([x, gamma, beta]) => normalized(x, {gamma, beta, epsilon}),
    (dy, [x, gamma]) => normGradients(dy, x, gamma, epsilon),
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
    [x, kernel, gamma, beta],
    ([x, kernel, gamma, beta]) => projected(x, kernel, {gamma, beta}),
    (dy, [x, kernel, gamma, beta]) => projectGradients(dy, x, kernel, {gamma, beta}),
  );
}

/** The value of {@link normProject}, or of a product alone. */
export function projected(x: tf.Tensor, kernel: tf.Tensor, norm: Norm | null): tf.Tensor {
  return tf.matMul(norm ? normalized(x, norm) : x, kernel);
}

/** Of x, the kernel, and where there is a norm, of gamma and beta. */
export function projectGradients(
  dy: tf.Tensor,
  x: tf.Tensor,
  kernel: tf.Tensor,
  norm: Norm | null,
): tf.Tensor[] {
  if (!norm) return multiplyGradients(dy, x, kernel);
  const dKernel = tf.tidy(() => matMul(normalized(x, norm), dy, true, false));
  const dNormalized = matMul(dy, kernel, false, true);
  const [dx, ...dNorm] = normGradients(dNormalized, x, norm.gamma);
  return [dx, dKernel, ...dNorm];
}

/** The value of {@link layerNorm}: by a kernel in one pass where the backend has one. */
export function normalized(x: tf.Tensor, {gamma, beta, epsilon = EPSILON}: Norm): tf.Tensor {
  if (!hasKernel(LAYER_NORM)) return normalizedByOps(x, gamma, beta, epsilon);
  return tf.engine().runKernel(LAYER_NORM, {x, gamma, beta}, {epsilon}) as tf.Tensor;
}

/** Of x, gamma and beta. */
function normGradients(dy: tf.Tensor, x: tf.Tensor, gamma: tf.Tensor, epsilon = EPSILON) {
  if (!hasKernel(LAYER_NORM_GRADIENT)) return normGradientsByOps(dy, x, gamma, epsilon);
  return tf.engine().runKernel(LAYER_NORM_GRADIENT, {x, gamma, dy}, {epsilon}) as tf.Tensor[];
}

/** What {@link LAYER_NORM} computes. */
export function normalizedByOps(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number) {
  return tf.tidy(() => tf.add(tf.mul(normalize(x, epsilon).normal, gamma), beta));
}

/** What {@link LAYER_NORM_GRADIENT} computes. */
export function normGradientsByOps(
  dy: tf.Tensor,
  x: tf.Tensor,
  gamma: tf.Tensor,
  epsilon: number,
): tf.Tensor[] {
  return tf.tidy(() => {
    const {normal, inverse} = normalize(x, epsilon);
    const dNormal = tf.mul(dy, gamma);
    const along = tf.mul(normal, tf.mean(tf.mul(dNormal, normal), -1, true));
    const across = tf.sub(dNormal, tf.mean(dNormal, -1, true));
    const rows = (y: tf.Tensor) => tf.sum(tf.reshape(y, [-1, gamma.size]), 0);
    return [tf.mul(tf.sub(across, along), inverse), rows(tf.mul(dy, normal)), rows(dy)];
  });
}

function normalize(x: tf.Tensor, epsilon: number): {normal: tf.Tensor; inverse: tf.Tensor} {
  const deviation = tf.sub(x, tf.mean(x, -1, true));
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(deviation), -1, true), epsilon));
  return {normal: tf.mul(deviation, inverse), inverse};
}
