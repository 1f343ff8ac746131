/**
 * The heads of multi-head attention, and the whole branch of a transformer in one step of autodiff. By
 * TF.js's own, a branch keeps queries, keys, values and heads side by side, and to the end of the pass
 * the gradients on the way to each.
 */
import * as tf from '@tensorflow/tfjs';

import {fusedForward, fusedGradients} from '../attention/fused_attention';
import type {Problem} from '../attention/problem';
import {closedFormKeeping} from './closed_form';
import {Norm, normProjectGradients, normalized} from './layer_norm';

/** B sequences of n tokens in h heads of size d. */
export interface HeadSizes {
  batch: number;
  n: number;
  heads: number;
  dimHead: number;
}

/** [B · n, 3 · h · d] -> queries, keys and values, [B, h, n, d] each */
export function splitHeads(qkv: tf.Tensor, sizes: HeadSizes): tf.Tensor4D[] {
  return tf.split(qkv, 3, 1).map((part) => byHead(part, sizes));
}

/** [B, h, n, d] -> [B · n, h · d] */
export function mergeHeads(x: tf.Tensor, {batch, n, heads, dimHead}: HeadSizes): tf.Tensor {
  // one token of each sequence lies so already
  const rows = n === 1 ? x : tf.transpose(x, [0, 2, 1, 3]);
  return tf.reshape(rows, [batch * n, heads * dimHead]);
}

/** [B · n, h · d] -> [B, h, n, d] */
function byHead(x: tf.Tensor, {batch, n, heads, dimHead}: HeadSizes): tf.Tensor4D {
  if (n === 1) return tf.reshape(x, [batch, heads, 1, dimHead]);
  return tf.transpose(tf.reshape(x, [batch, n, heads, dimHead]), [0, 2, 1, 3]);
}

/** The matrices of a branch. */
export interface BranchWeights extends Norm {
  /** [D, 3 · h · d] */
  toQkv: tf.Tensor;
  /** [h · d, D] */
  toOut: tf.Tensor;
}

/**
 * x [B · n, D] → LayerNorm → q | k | v → the attention of `p` by a fused kernel → [B · n, D], with a
 * gradient that keeps x, qkv and the output of the heads.
 */
export function fusedBranch(
  x: tf.Tensor,
  weights: BranchWeights,
  sizes: HeadSizes,
  p: Problem,
): tf.Tensor {
  const {gamma, beta, toQkv, toOut} = weights;
  const inputs = [x, gamma, beta, toQkv, toOut, ...(p.bias ? [p.bias] : [])];
  return closedFormKeeping(inputs, {
    forward([x, gamma, beta, toQkv, toOut]) {
      const qkv = tf.matMul(normalized(x, {gamma, beta}), toQkv);
      const [q, k, v] = splitHeads(qkv, sizes);
      const {out, softmaxStats} = fusedForward(q, k, v, p);
      const value = tf.matMul(mergeHeads(out, sizes), toOut);
      // a clone: the mask is the caller's, and what is kept is not
      return [value, qkv, out, softmaxStats, ...(p.mask ? [tf.clone(p.mask)] : [])];
    },
    gradients(dy, [x, gamma, beta, toQkv, toOut, bias], [qkv, out, softmaxStats, mask]) {
      const [q, k, v] = splitHeads(qkv, sizes);
      const call = {q, k, v, out, softmaxStats, ...(bias && {bias}), ...(mask && {mask})};
      const dOut = tf.tidy(() => byHead(tf.matMul(dy, tf.transpose(toOut)), sizes));
      // transposed first: TF.js's wasm backend computes transposed products ten times slower
      const dToOut = tf.tidy(() => tf.matMul(tf.transpose(mergeHeads(out, sizes)), dy));
      const [dq, dk, dv, ...dBias] = fusedGradients(dOut, call, p);
      const dQkv = tf.tidy(() => tf.concat([dq, dk, dv].map((x) => mergeHeads(x, sizes)), 1)); // prettier-ignore
      const ofNorm = normProjectGradients(dQkv, x, {gamma, beta}, toQkv);
      return [...ofNorm, dToOut, ...dBias];
    },
  });
}
