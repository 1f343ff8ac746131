/**
 * The gradient of {@link attend} in closed form, in ordinary tf ops. It computes the weights
 * again, so that between forward and backward nothing of the scores' size is kept, where
 * autodiff would keep ten tensors of it. All ops are differentiable and start from the inputs
 * themselves, so that gradients of gradients are right too.
 *
 * With P the weights, K the dropout factors, and dO the upstream gradient:
 *
 *     dV = (P ∘ K)ᵀ dO         dP = (dO Vᵀ) ∘ K        dS = P ∘ (dP − rowsum(P ∘ dP))
 *     dQ = dS K'               dK' = dSᵀ Q             dBias = dS summed over batch and windows
 */
import * as tf from '@tensorflow/tfjs';

import {Sequences, Tables, attentionWeights, contextKeys, then, windowQueries} from './composite';
import {Problem} from './problem';
import {bucket, foldBack, lookAround, unbucket} from './visibility';

/** Gradients of q, k, v and (where there is one) the bias, each of its input's shape. */
export function attendGradient(
  dy: tf.Tensor3D,
  sequences: Sequences,
  tables: Tables,
  p: Problem,
): tf.Tensor[] {
  const {q, k, v, bias} = sequences;
  const {keep, self, xpos} = tables;
  const weights = attentionWeights(sequences, tables, p); // [b, W, w, C]
  const upstream = bucket(dy, p); // [b, W, w, dv]

  // a tidy for each, so that no context of keys or values outlives its product
  const dropped = keep ? tf.mul(weights, keep) : weights;
  const dv = tf.tidy(() => {
    const dValues = tf.matMul(dropped, upstream, true, false) as tf.Tensor4D; // [b, W, C, dv]
    return unbucket(foldBack(dValues, p));
  });
  if (keep) dropped.dispose();

  let dWeights = tf.tidy(() => {
    const values = lookAround(bucket(v, p), p); // [b, W, C, dv]
    return tf.matMul(upstream, values, false, true) as tf.Tensor4D; // [b, W, w, C]
  });
  if (keep) dWeights = then(dWeights, (x) => tf.mul(x, keep) as tf.Tensor4D);
  let dScores = softmaxGradient(weights, dWeights);
  // the score of a token with itself is a constant
  if (self) dScores = then(dScores, (x) => tf.mul(x, tf.sub(1, self)) as tf.Tensor4D);

  const dq = tf.tidy(() => {
    const dQueries = tf.matMul(dScores, contextKeys(k, tables, p)) as tf.Tensor4D; // [b, W, w, d]
    return unbucket(xpos ? tf.mul(dQueries, xpos.query) : dQueries);
  });
  const dk = tf.tidy(() => {
    // [b, W, w, C] x [b, W, w, d] -> [b, W, C, d]
    const dKeys = tf.matMul(dScores, windowQueries(q, tables, p), true, false) as tf.Tensor4D;
    return unbucket(foldBack(xpos ? tf.mul(dKeys, xpos.key) : dKeys, p));
  });
  return bias ? [dq, dk, dv, biasGradient(dScores, bias, p)] : [dq, dk, dv];
}

/** P ∘ (dP − rowsum(P ∘ dP)); frees both. */
function softmaxGradient(weights: tf.Tensor4D, dWeights: tf.Tensor4D): tf.Tensor4D {
  const products = tf.mul(weights, dWeights);
  const mean = tf.sum(products, -1, true);
  products.dispose();
  const centred = then(dWeights, (x) => tf.sub(x, mean) as tf.Tensor4D);
  const dScores = then(centred, (x) => tf.mul(weights, x) as tf.Tensor4D);
  weights.dispose();
  return dScores;
}

// [B, h, W, w · C] summed over batch and windows
function biasGradient(dScores: tf.Tensor4D, bias: tf.Tensor, p: Problem): tf.Tensor {
  const byHead = tf.reshape(dScores, [p.b / p.heads, p.heads, p.windows, p.w * p.context]);
  return tf.reshape(tf.sum(byHead, [0, 2]), bias.shape);
}
