import * as tf from '@tensorflow/tfjs';

import {LOCAL_ATTENTION, LocalAttentionConfig, resolveConfig} from '../attention/config';
import {fail} from '../check/errors';
import {l2Normalize} from '../attention/l2_normalize';
import {attend} from '../attention/local_attention';
import {multiply} from './multiply';
import {nothing} from '../attention/nothing';
import {count, flag, number, required} from '../check/option_kinds';
import {Chosen, Given, readOptions} from '../check/options';
import {Plan, planOf} from '../attention/plan';
import type {LocalAttentionCall} from '../attention/call';
import {checkTensor} from '../check/tensors';

/** What the attention inside takes from the caller; the rest of its options are decided here. */
const {
  dim: _,
  scale: _scale,
  autopad: _autopad,
  relPosEmbConfig: _config,
  ...INNER
} = LOCAL_ATTENTION;

/** The options of local multi-head attention: its own, and those of the attention inside. */
export const LOCAL_MHA = {
  /** Size of a token. */
  dim: required(count(1)),
  /** Size of a head, d. */
  dimHead: count(1, 64),
  /** Number of heads, h. */
  heads: count(1, 8),
  /** LayerNorm (ε = 1e-5) before the projections. */
  prenorm: flag(false),
  /** l2-normalise queries and keys, and multiply each by a learned vector. */
  qkRmsnorm: flag(false),
  /** Factor of the queries under `qkRmsnorm`. */
  qkScale: number('finite', {}, 8),
  /** Multiply each head by a sigmoid of the token before the heads are merged. */
  gateValuesPerHead: flag(false),
  ...INNER,
  /** As in {@link LOCAL_ATTENTION}, but **on** by default. */
  exactWindowsize: flag(true),
};

export type LocalMHAArgs = Given<typeof LOCAL_MHA>;

/** {@link LocalMHAArgs} checked and complete. Frozen. */
export type LocalMHAConfig = Omit<Chosen<typeof LOCAL_MHA>, keyof typeof INNER> & {
  readonly attention: LocalAttentionConfig;
};

export function resolveMHAConfig(fn: string, args: LocalMHAArgs): LocalMHAConfig {
  const options = readOptions(fn, LOCAL_MHA, args);
  const {dim, dimHead, heads, prenorm, qkRmsnorm, qkScale, gateValuesPerHead, ...inner} = options;
  const attention = resolveConfig(fn, {
    ...inner,
    autopad: true,
    dim: dimHead,
    scale: qkRmsnorm ? qkScale : null,
  });
  const own = {dim, dimHead, heads, prenorm, qkRmsnorm, qkScale, gateValuesPerHead};
  return Object.freeze({...own, attention});
}

/** The parameters by the names that they are saved under; kernels are [in, out]. */
export interface LocalMHAWeights {
  /** [dim], with prenorm */
  'norm/gamma'?: tf.Tensor;
  'norm/beta'?: tf.Tensor;
  /** [dim, 3 · heads · dimHead]: queries, keys, values, each heads-major */
  'to_qkv/kernel': tf.Tensor;
  /** [dimHead], with qkRmsnorm; shared by the heads */
  q_scale?: tf.Tensor;
  k_scale?: tf.Tensor;
  /** [dim, heads] and [heads], with gateValuesPerHead */
  'to_v_gate/kernel'?: tf.Tensor;
  'to_v_gate/bias'?: tf.Tensor;
  /** [heads · dimHead, dim] */
  'to_out/kernel': tf.Tensor;
}

const NORM_EPSILON = 1e-5; // torch.nn.LayerNorm's

/** Checks a call and chooses who computes its attention, as {@link planOf} does. */
export function planMHA(
  fn: string,
  x: tf.Tensor,
  config: LocalMHAConfig,
  call: LocalAttentionCall,
): Plan {
  checkTensor(fn, 'x', x, 'float32');
  if (x.rank !== 3 || x.shape[2] !== config.dim) {
    fail(fn, `x must have the shape [B, n, dim] with dim ${config.dim}`, x.shape);
  }
  const [batch, n] = x.shape;
  const head = [batch, config.heads, n, config.dimHead];
  return planOf(fn, {q: head, k: head, v: head}, config.attention, call);
}

/**
 * Multi-head self-attention over x [B, n, dim]:
 *
 *     x → LayerNorm (prenorm) → q | k | v → l2 norm and learned scale (qkRmsnorm)
 *       → local attention → sigmoid gate per head (gateValuesPerHead) → projection to [B, n, dim]
 *
 * @param plan what {@link planMHA} made of this x
 */
export function localMHA(
  x: tf.Tensor,
  weights: LocalMHAWeights,
  config: LocalMHAConfig,
  plan: Plan,
): tf.Tensor {
  if (x.size === 0) return nothing([x, ...Object.values(weights)], x.shape);
  return tf.tidy(() => {
    const [batch, n, dim] = x.shape;
    const {heads, dimHead} = config;
    const tokens = tf.reshape(x, [batch * n, dim]);
    const input = config.prenorm ? layerNorm(tokens, weights) : tokens;

    // [B · n, 3 · h · d] -> three of [B, h, n, d]
    const [q, k, v] = tf
      .split(multiply(input, weights['to_qkv/kernel']), 3, 1)
      .map((part) => tf.transpose(tf.reshape(part, [batch, n, heads, dimHead]), [0, 2, 1, 3]));
    const attended = attend(
      config.qkRmsnorm ? tf.mul(l2Normalize(q), weights.q_scale!) : q,
      config.qkRmsnorm ? tf.mul(l2Normalize(k), weights.k_scale!) : k,
      v,
      plan,
    );
    const gated = config.gateValuesPerHead
      ? tf.mul(attended, gate(input, weights, [batch, n, heads]))
      : attended;
    const merged = tf.reshape(tf.transpose(gated, [0, 2, 1, 3]), [batch * n, heads * dimHead]);
    return tf.reshape(multiply(merged, weights['to_out/kernel']), [batch, n, dim]);
  });
}

function layerNorm(x: tf.Tensor, weights: LocalMHAWeights): tf.Tensor {
  const {mean, variance} = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, NORM_EPSILON)));
  return tf.add(tf.mul(normal, weights['norm/gamma']!), weights['norm/beta']!);
}

/** [B · n, dim] -> [B, h, n, 1] */
function gate(x: tf.Tensor, weights: LocalMHAWeights, shape: [number, number, number]): tf.Tensor {
  const logits = tf.add(multiply(x, weights['to_v_gate/kernel']!), weights['to_v_gate/bias']!);
  const byToken = tf.reshape(tf.sigmoid(logits), shape);
  return tf.expandDims(tf.transpose(byToken, [0, 2, 1]), -1);
}
