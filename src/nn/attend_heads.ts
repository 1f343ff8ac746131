/**
 * The heads of multi-head attention, and the whole branch of a transformer in one step of autodiff. By
 * TF.js's own, a branch keeps queries, keys, values and heads side by side, and to the end of the pass
 * the gradients on the way to each.
 */
import * as tf from '@tensorflow/tfjs';

import {fusedForward, fusedGradients} from '../attention/fused_attention';
import type {Problem} from '../attention/problem';
import {closedFormKeeping} from './closed_form';
import {Norm, projectGradients, projected} from './layer_norm';
import {matMul} from './mat_mul';
import {hasKernel} from './own_kernel';

/** B sequences of n tokens in h heads of size d. */
export interface HeadSizes {
  batch: number;
  n: number;
  heads: number;
  dimHead: number;
}

/** Kernels of one pass, of inputs 0, 1 … and of {@link HeadSizes}. */
export const SPLIT_HEADS = 'LocalAttentionSplitHeads';
export const MERGE_HEADS = 'LocalAttentionMergeHeads';

/** [B · n, parts · h · d] -> as many parts, [B, h, n, d] each: of qkv, queries, keys and values */
export function splitHeads(x: tf.Tensor, sizes: HeadSizes): tf.Tensor4D[] {
  if (!hasKernel(SPLIT_HEADS)) return splitHeadsByOps(x, sizes);
  return tf.engine().runKernel(SPLIT_HEADS, [x] as never, {...sizes}) as tf.Tensor4D[];
}

/** The other way: some [B, h, n, d] -> [B · n, parts · h · d] */
export function mergeHeads(parts: tf.Tensor[], sizes: HeadSizes): tf.Tensor {
  if (!hasKernel(MERGE_HEADS)) return mergeHeadsByOps(parts, sizes);
  return tf.engine().runKernel(MERGE_HEADS, parts as never, {...sizes}) as tf.Tensor;
}

/** What {@link SPLIT_HEADS} computes. */
export function splitHeadsByOps(
  x: tf.Tensor,
  {batch, n, heads, dimHead}: HeadSizes,
): tf.Tensor4D[] {
  return tf.tidy(() =>
    tf.split(x, x.size / (batch * n * heads * dimHead), 1).map((part) => {
      // one token of each sequence lies so already
      if (n === 1) return tf.reshape(part, [batch, heads, 1, dimHead]);
      return tf.transpose(tf.reshape(part, [batch, n, heads, dimHead]), [0, 2, 1, 3]);
    }),
  );
}

/** What {@link MERGE_HEADS} computes. */
export function mergeHeadsByOps(
  parts: tf.Tensor[],
  {batch, n, heads, dimHead}: HeadSizes,
): tf.Tensor {
  return tf.tidy(() => {
    const merged = parts.map((x) => {
      const rows = n === 1 ? x : tf.transpose(x, [0, 2, 1, 3]);
      return tf.reshape(rows, [batch * n, heads * dimHead]);
    });
    return merged.length === 1 ? merged[0] : tf.concat(merged, 1);
  });
}

/** What a branch learns. */
export interface BranchWeights {
  /** Of the tokens, before all else; null where they are taken as they are. */
  norm: Norm | null;
  /** [D, 3 · h · d] */
  toQkv: tf.Tensor;
  /** [h · d, D] */
  toOut: tf.Tensor;
}

/**
 * x [B · n, D] → LayerNorm, if there is a norm → q | k | v → the attention of `p` by a fused kernel → [B · n, D], with a
 * gradient that keeps x, qkv and the output of the heads.
 */
export function fusedBranch(
  x: tf.Tensor,
  {norm, toQkv, toOut}: BranchWeights,
  sizes: HeadSizes,
  p: Problem,
): tf.Tensor {
  const parameters = norm ? [norm.gamma, norm.beta] : [];
  const inputs = [x, toQkv, toOut, ...parameters, ...(p.bias ? [p.bias] : [])];
  const normOf = ([gamma, beta]: tf.Tensor[]) => norm && {gamma, beta};
  return closedFormKeeping(inputs, {
    forward([x, toQkv, toOut, ...others], [, , , mask = p.mask]) {
      const qkv = projected(x, toQkv, normOf(others));
      const [q, k, v] = splitHeads(qkv, sizes);
      const bias = others[parameters.length] ?? null;
      const {out, softmaxStats} = fusedForward(q, k, v, {
        ...p,
        bias,
        mask: mask as Problem['mask'],
      });
      const value = tf.matMul(mergeHeads([out], sizes), toOut);
      // a clone: the mask is the caller's, and what is kept is not
      return [value, qkv, out, softmaxStats, ...(mask ? [tf.clone(mask)] : [])];
    },
    gradients(dy, [x, toQkv, toOut, ...others], [qkv, out, softmaxStats, mask]) {
      const [q, k, v] = splitHeads(qkv, sizes);
      const bias = others[parameters.length];
      const call = {q, k, v, out, softmaxStats, ...(bias && {bias}), ...(mask && {mask})};
      const [dOut] = tf.tidy(() => splitHeads(matMul(dy, toOut, false, true), sizes));
      const dToOut = tf.tidy(() => matMul(mergeHeads([out], sizes), dy, true, false));
      const [dq, dk, dv, ...dBias] = fusedGradients(dOut, call, p);
      const dQkv = mergeHeads([dq, dk, dv], sizes);
      const [dx, dToQkv, ...dNorm] = projectGradients(dQkv, x, toQkv, normOf(others));
      return [dx, dToQkv, dToOut, ...dNorm, ...dBias];
    },
  });
}
