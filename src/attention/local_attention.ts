import * as tf from '@tensorflow/tfjs';

import {compositeAttention} from './composite';
import {LocalAttentionArgs, LocalAttentionConfig, resolveConfig} from './config';
import {fusedAttention} from './fused_attention';
import {nothing} from './nothing';
import {Plan, planOf} from './plan';
import {checkSequences} from './problem';
import type {LocalAttentionCall} from './call';

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
  const fn = 'localAttention';
  const resolved = resolveConfig(fn, config);
  checkSequences(fn, q, k, v);
  return attend(q, k, v, planOf(fn, {q: q.shape, k: k.shape, v: v.shape}, resolved, call));
}

/** {@link localAttention} as planned. */
export function attend(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, plan: Plan): tf.Tensor {
  const {problem, fused} = plan;
  if (q.size === 0) {
    const inputs = problem.bias ? [q, k, v, problem.bias] : [q, k, v];
    return nothing(inputs, [...problem.leading, problem.length, problem.valueDim]);
  }
  return fused ? fusedAttention(q, k, v, problem) : compositeAttention(q, k, v, problem);
}
