/**
 * The gradient of the composite in closed form, in ordinary tf ops. It computes the weights
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

import {gradientAddends} from './composite_non_finite';
import {finiteOnly} from './finite';
import {Sequences, flat, padded, prepare, prepareGradient} from './composite_sequences';
import {Tables, applied, attentionWeights, contextKeys, tablesOf, windowQueries} from './composite_weights'; // prettier-ignore
import type {Problem} from './problem';
import {bucket, foldBack, layoutOf, lookAround, unbucket} from './windows';

/** Gradients of q, k, v and (where there is one) the bias, each of its input's shape. */
export function compositeGradient(
  dout: tf.Tensor,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  p: Problem,
): tf.Tensor[] {
  return tf.tidy(() => {
    const tables = tablesOf(p);
    const upstream = padded(flat(dout, p), p);
    const {finite, addend} = prepare(q, k, v, p, (given) =>
      gradientAddends(given, upstream, tables, p),
    );
    const gradients = attendGradient(finiteOnly(upstream), finite, tables, p);
    const sums = gradients.map((gradient, i) => tf.add(gradient, addend[i]));
    return prepareGradient(sums, [q, k, v], p);
  });
}

/** Gradients of the {@link Sequences}. */
function attendGradient(
  dout: tf.Tensor3D,
  {q, k, v, bias}: Sequences,
  tables: Tables,
  p: Problem,
): tf.Tensor[] {
  const {keep, self, xpos} = tables;
  const weights = attentionWeights({q, k, v, bias}, tables, p); // [b, W, w, C]
  const upstream = bucket(dout, p); // [b, W, w, dv]

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
  if (keep) dWeights = applied(dWeights, (x) => tf.mul(x, keep) as tf.Tensor4D);
  let dScores = softmaxGradient(weights, dWeights);
  // the score of a token with itself is a constant
  if (self) dScores = applied(dScores, (x) => tf.mul(x, tf.sub(1, self)) as tf.Tensor4D);

  const dq = tf.tidy(() => {
    const dQueries = tf.matMul(dScores, contextKeys(k, tables, p)) as tf.Tensor4D; // [b, W, w, d]
    return unbucket(xpos ? tf.mul(dQueries, xpos.query) : dQueries);
  });
  const dk = tf.tidy(() => {
    // [b, W, w, C] x [b, W, w, d] -> [b, W, C, d]
    const dKeys = tf.matMul(dScores, windowQueries(q, tables, p), true, false) as tf.Tensor4D;
    return unbucket(foldBack(xpos ? tf.mul(dKeys, xpos.key) : dKeys, p));
  });
  return bias ? [dq, dk, dv, biasGradient(dScores, p)] : [dq, dk, dv];
}

/** P ∘ (dP − rowsum(P ∘ dP)); frees both. */
function softmaxGradient(weights: tf.Tensor4D, dWeights: tf.Tensor4D): tf.Tensor4D {
  const products = tf.mul(weights, dWeights);
  const mean = tf.sum(products, -1, true);
  products.dispose();
  const centred = applied(dWeights, (x) => tf.sub(x, mean) as tf.Tensor4D);
  const dScores = applied(centred, (x) => tf.mul(weights, x) as tf.Tensor4D);
  weights.dispose();
  return dScores;
}

/** [B, h, W, w · C] summed over batch and windows: [h, w, C] */
function biasGradient(dScores: tf.Tensor4D, p: Problem): tf.Tensor {
  const {b, windows, context} = layoutOf(p);
  const table = p.windowSize * context;
  const byHead = tf.reshape(dScores, [b / p.biasHeads, p.biasHeads, windows, table]);
  return tf.reshape(tf.sum(byHead, [0, 2]), [p.biasHeads, p.windowSize, context]);
}
