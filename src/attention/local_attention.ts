import * as tf from '@tensorflow/tfjs';

import {Sequences, attend, tablesOf} from './composite';
import {attendGradient} from './composite_gradient';
import {LocalAttentionArgs, LocalAttentionConfig, resolveConfig} from './config';
import {refuse} from '../check/errors';
import {fused, refusal} from './fused';
import {l2Normalize} from './l2_normalize';
import {nothing} from './nothing';
import {LocalAttentionCall, Problem, problemOf, refusesComposite} from './problem';
import * as rotary from '../rotary/rotary';
import {maskOfHeads} from './visibility';

/**
 * Local (windowed) attention. The sequence is cut into windows of w tokens, and a query in window
 * W(i) = ⌊i / w⌋ attends to the keys of its own window, of `lookBackward` windows before it and of
 * `lookForward` after it:
 *
 *     out_i = Σ_j softmax_j(scale · R(q_i) · R(k_j) + attnBias) v_j
 *
 * over the visible keys j, with R the rotary embedding. With window w, lookBackward 1 and causal, a
 * query sees w + 1 … 2w keys, itself included (`exactWindowsize`: exactly w + 1). A query that sees
 * no key at all gives zeros and has zero gradients. Memory grows with n (fused) or n · C (composite),
 * C being the context of a window, not with n².
 *
 * The numbers are those of the PyTorch package local-attention 1.11.2 (Phil Wang).
 *
 * @param q float32 [..., n, d], any leading axes
 * @param k float32, the shape of q
 * @param v float32 [..., n, dv], with q's leading axes
 * @param config the options; `windowSize` is required
 * @param call mask, bias, window, training and seed of this call
 * @returns float32 [..., n, dv]; differentiable by q, k, v and attnBias
 * @throws RangeError or TypeError that names the rule, the value and the remedy, before anything
 *     is allocated; and what TF.js throws where memory runs out
 */
export function localAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  config: LocalAttentionArgs | LocalAttentionConfig,
  call: LocalAttentionCall = {},
): tf.Tensor {
  return attendWindows('localAttention', q, k, v, resolveConfig('localAttention', config), call);
}

/** {@link localAttention} in the name of `fn`, for callers whose users know another name. */
export function attendWindows(
  fn: string,
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  config: LocalAttentionConfig,
  call: LocalAttentionCall,
): tf.Tensor {
  const p = problemOf(fn, q, k, v, config, call);
  const byKernel = runsFused(fn, config, p);
  return tf.tidy(() => {
    const sequence = (x: tf.Tensor) =>
      tf.reshape(x, [p.b, p.n, x.shape[x.rank - 1]]) as tf.Tensor3D;
    const sequences = [q, k, v].map(sequence) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const out = overSequences(...sequences, p, byKernel);
    return tf.reshape(out, [...p.leading, p.n, p.dv]);
  });
}

/** Whether a fused kernel computes `p`, or else the composite. Throws if neither can. */
export function runsFused(fn: string, config: LocalAttentionConfig, p: Problem): boolean {
  const {implementation} = config;
  const reason = implementation === 'composite' ? 'not asked for' : refusal(p);
  if (!reason) return true;
  if (implementation === 'fused') {
    refuse(fn, `${reason}; use implementation: 'auto' or 'composite'`);
  }
  const tooLarge = refusesComposite(p);
  if (tooLarge) refuse(fn, tooLarge);
  return false;
}

function overSequences(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  p: Problem,
  byKernel: boolean,
): tf.Tensor3D {
  if (p.b === 0 || p.n === 0) {
    const inputs = p.bias ? [q, k, v, p.bias] : [q, k, v];
    return nothing(inputs, [p.b, p.n, p.dv]) as tf.Tensor3D;
  }
  return byKernel ? fused(q, k, v, p) : composed(q, k, v, p);
}

/** The operation in ordinary tf ops. */
function composed(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, p: Problem): tf.Tensor3D {
  const keys = p.sharedQk ? l2Normalize(existing(k, p)) : existing(k, p);
  const queries = tf.mul(q, p.scale) as tf.Tensor3D;
  const sequences = {
    // position i + forward · w against j: the queries stand where the *last* window of the context
    // is, in the original and therefore in the weights that were trained with it
    q: rotated(padded(queries, p), p.forward * p.w, p),
    k: rotated(padded(keys, p), 0, p),
    v: padded(existing(v, p), p),
    bias: p.bias,
  };
  const out = composite(sequences, p);
  return p.padded === p.n ? out : tf.slice(out, [0, 0, 0], [p.b, p.n, p.dv]);
}

/** Zeros where the mask hides a token, whatever padding holds there: a weight of 0 times NaN is NaN. */
function existing(x: tf.Tensor3D, p: Problem): tf.Tensor3D {
  if (!p.mask) return x;
  return tf.where(tf.expandDims(maskOfHeads(p.mask, p), -1), x, 0) as tf.Tensor3D;
}

function padded(x: tf.Tensor3D, p: Problem): tf.Tensor3D {
  return p.padded === p.n ? x : tf.pad(x, [[0, 0], [0, p.padded - p.n], [0, 0]]); // prettier-ignore
}

function rotated(x: tf.Tensor3D, offset: number, p: Problem): tf.Tensor3D {
  if (!p.rotary) return x;
  return rotary.apply(x, rotary.angles(p.padded, p.d, {offset})) as tf.Tensor3D;
}

/** {@link attend} with {@link attendGradient}. */
function composite({q, k, v, bias}: Sequences, p: Problem): tf.Tensor3D {
  const inputs = bias ? [q, k, v, bias] : [q, k, v];
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as (tensors: tf.Tensor[]) => void;
    // the mask too: its owner may dispose it before the gradient is asked for
    save(p.mask ? [...inputs, p.mask] : inputs);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [q, k, v, bias = null] = saved.slice(0, inputs.length) as tf.Tensor3D[];
      const mask = p.mask ? (saved[inputs.length] as tf.Tensor2D) : null;
      const problem = {...p, mask};
      return attendGradient(dy as tf.Tensor3D, {q, k, v, bias}, tablesOf(problem), problem);
    };
    return {value: attend({q, k, v, bias}, tablesOf(p), p), gradFunc};
  });
  return operation(...inputs) as tf.Tensor3D;
}
