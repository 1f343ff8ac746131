/**
 * Small products of a token at a time: T tokens of some rows of D numbers each. Sources are [T, n, D], or
 * [n, D] where all tokens share them; the last alone may be so. By a kernel in one pass where a backend
 * has one, and by ops where it has none, or where autodiff is to see them.
 */
import * as tf from '@tensorflow/tfjs';

import {matMul} from './mat_mul';
import {hasKernel} from './own_kernel';

const COMBINE = 'LocalAttentionCombine';
const DOTS = 'LocalAttentionDots';

/** factors [T, m, Σ n] -> [T, m, D]: row i is Σ_j factors[i, j] · row j of the sources, one after the other. */
export function combine(factors: tf.Tensor, sources: tf.Tensor[]): tf.Tensor {
  if (hasKernel(COMBINE)) return runKernel(COMBINE, [factors, ...sources]);
  return tf.tidy(() => {
    const {own, shared} = bySharing(sources);
    if (!shared) return tf.matMul(factors, own);
    const [ofOwn, ofShared] = tf.split(factors, [own.shape[1]!, shared.shape[0]], 2);
    const sum = tf.matMul(ofOwn, own);
    return tf.add(sum, tf.reshape(tf.matMul(rowsOf(ofShared), shared), sum.shape));
  });
}

/** x [T, m, D] -> [T, m, Σ n]: the products of row i with each row of the sources, one after the other. */
export function dots(x: tf.Tensor, sources: tf.Tensor[]): tf.Tensor {
  if (hasKernel(DOTS)) return runKernel(DOTS, [x, ...sources]);
  return tf.tidy(() => {
    const {own, shared} = bySharing(sources);
    const areVectors = x.shape[1] === 1 && own.shape[1] === 1;
    const products = areVectors ? tf.sum(tf.mul(x, own), 2, true) : tf.matMul(x, own, false, true);
    if (!shared) return products;
    const ofShared = matMul(rowsOf(x), shared, false, true);
    const shape = [x.shape[0], x.shape[1]!, shared.shape[0]];
    return tf.concat([products, tf.reshape(ofShared, shape)], 2);
  });
}

function runKernel(name: string, inputs: tf.Tensor[]): tf.Tensor {
  return tf.engine().runKernel(name, inputs as unknown as tf.NamedTensorMap) as tf.Tensor;
}

function bySharing(sources: tf.Tensor[]): {own: tf.Tensor; shared?: tf.Tensor} {
  const own = sources.filter((source) => source.rank === 3);
  const [shared] = sources.filter((source) => source.rank === 2);
  return {own: own.length === 1 ? own[0] : tf.concat(own, 1), shared};
}

function rowsOf(x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, [-1, x.shape[2]!]);
}
