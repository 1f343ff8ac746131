/**
 * What the composite attends over, of what it was given: keys normalised, queries scaled, both
 * rotated, all padded to whole windows, masked tokens zeros; and the way back of the gradients.
 */
import * as tf from '@tensorflow/tfjs';

import {angles} from '../rotary/angles';
import {apply} from '../rotary/apply';
import {finiteBias, finiteOnly} from './finite';
import {l2Normalize, l2NormalizeGradient} from './l2_normalize';
import type {Problem} from './problem';
import {maskOfHeads} from './visibility';
import {layoutOf} from './windows';

export interface Sequences {
  /** [b, N, d], scaled and rotated */
  q: tf.Tensor3D;
  /** [b, N, d], rotated */
  k: tf.Tensor3D;
  /** [b, N, dv] */
  v: tf.Tensor3D;
  /** [h, w, C] of the laid slots, h 1 where all heads share it */
  bias: tf.Tensor3D | null;
}

/**
 * Of q, k [..., n, d] and v [..., n, dv], with zeros for what is not finite; and what `reach` makes of
 * them before that and after, which alone is kept.
 */
export function prepare<T>(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  p: Problem,
  reach: (given: Sequences, finite: Sequences) => T,
): {finite: Sequences; addend: T} {
  const make = () => {
    const given = {
      // position i + lookForward · w against j: the queries stand where the *last* window of the
      // context is, in the original and therefore in the weights that were trained with it
      q: tf.tidy(() => rotated(padded(tf.mul(flat(q, p), p.scale), p), ahead(p), 1, p)),
      k: tf.tidy(() => {
        const keys = existingOnly(flat(k, p), p);
        return rotated(padded(p.sharedQk ? l2Normalize(keys) : keys, p), 0, 1, p);
      }),
      v: padded(existingOnly(flat(v, p), p), p),
      bias: p.bias && laid(p.bias, p),
    };
    const finite = {
      q: finiteOnly(given.q),
      k: finiteOnly(given.k),
      v: finiteOnly(given.v),
      bias: given.bias && finiteBias(given.bias),
    };
    return {finite, addend: reach(given, finite)};
  };
  // TF.js takes records with null apart, as its types do not say
  return tf.tidy(make as never) as ReturnType<typeof make>;
}

/** Gradients of {@link Sequences} made those of q, k, v and the bias, in their shapes. */
export function prepareGradient(
  [dq, dk, dv, dBias]: tf.Tensor[],
  [q, k, v]: tf.Tensor[],
  p: Problem,
): tf.Tensor[] {
  const queries = tf.mul(cut(rotated(dq as tf.Tensor3D, ahead(p), -1, p), p), p.scale);
  let keys = cut(rotated(dk as tf.Tensor3D, 0, -1, p), p);
  if (p.sharedQk) keys = l2NormalizeGradient(existingOnly(flat(k, p), p), keys);
  const gradients = [
    tf.reshape(queries, q.shape),
    tf.reshape(existingOnly(keys, p), k.shape),
    tf.reshape(existingOnly(cut(dv as tf.Tensor3D, p), p), v.shape),
  ];
  if (p.bias) gradients.push(laidGradient(dBias as tf.Tensor3D, p.bias, p));
  return gradients;
}

/** [..., n, c] -> [b, n, c] */
export function flat(x: tf.Tensor, p: Problem): tf.Tensor3D {
  return tf.reshape(x, [layoutOf(p).b, p.length, x.shape[x.rank - 1]]);
}

/** Without padding: [b, N, c] -> [b, n, c] */
export function cut(x: tf.Tensor3D, p: Problem): tf.Tensor3D {
  const [b, tokens, c] = x.shape;
  return tokens === p.length ? x : tf.slice(x, [0, 0, 0], [b, p.length, c]);
}

/** [b, n, c] -> [b, N, c], zeros behind. */
export function padded<T extends tf.Tensor>(x: T, p: Problem): T {
  const missing = layoutOf(p).padded - p.length;
  return missing === 0 ? x : tf.pad(x, [[0, 0], [0, missing], [0, 0]]); // prettier-ignore
}

/** Zeros where the mask hides a token, whatever padding holds there: a weight of 0 times NaN is NaN. */
function existingOnly(x: tf.Tensor3D, p: Problem): tf.Tensor3D {
  if (!p.mask) return x;
  return tf.where(tf.expandDims(maskOfHeads(p.mask, p), -1), x, 0) as tf.Tensor3D;
}

function ahead(p: Problem): number {
  return p.lookForward * p.windowSize;
}

/** By the angles of positions from `offset` on, or back by them. */
function rotated(x: tf.Tensor3D, offset: number, direction: 1 | -1, p: Problem): tf.Tensor3D {
  if (!p.rotary) return x;
  const {cos, sin} = angles(x.shape[1], p.headDim, {offset});
  return apply(x, {cos, sin: direction === 1 ? sin : tf.neg(sin)}) as tf.Tensor3D;
}

/** The slots of the bias that are laid beside a window: [h, w, C] */
function laid(bias: tf.Tensor, p: Problem): tf.Tensor3D {
  const {context, skipped} = layoutOf(p);
  const all: tf.Tensor3D = tf.reshape(bias, [p.biasHeads, p.windowSize, p.context]);
  if (context === p.context) return all;
  return tf.slice(all, [0, 0, skipped], [p.biasHeads, p.windowSize, context]);
}

function laidGradient(dBias: tf.Tensor3D, bias: tf.Tensor, p: Problem): tf.Tensor {
  const {context, skipped} = layoutOf(p);
  const whole =
    context === p.context
      ? dBias
      : tf.pad(dBias, [[0, 0], [0, 0], [skipped, p.context - skipped - context]]); // prettier-ignore
  return tf.reshape(whole, bias.shape);
}
