import * as tf from '@tensorflow/tfjs';

import {LOCAL_ATTENTION, LocalAttentionConfig, resolveConfig} from '../attention/config';
import {fail} from '../check/errors';
import {l2Normalize} from '../attention/l2_normalize';
import {layerNorm} from './layer_norm';
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

/** The shapes of the parameters, in the order in which they are saved. */
export function localMHAShapes(config: LocalMHAConfig): Record<string, number[]> {
  const {dim, heads, dimHead, prenorm, qkRmsnorm, gateValuesPerHead} = config;
  const inner = heads * dimHead;
  return {
    ...(prenorm && {'norm/gamma': [dim], 'norm/beta': [dim]}),
    'to_qkv/kernel': [dim, 3 * inner],
    ...(qkRmsnorm && {q_scale: [dimHead], k_scale: [dimHead]}),
    ...(gateValuesPerHead && {'to_v_gate/kernel': [dim, heads], 'to_v_gate/bias': [heads]}),
    'to_out/kernel': [inner, dim],
  };
}

/** Checks x [B, n, dim]. */
export function checkMHAInput(
  fn: string,
  x: unknown,
  {dim}: LocalMHAConfig,
): asserts x is tf.Tensor {
  checkTensor(fn, 'x', x, 'float32');
  if (x.rank !== 3 || x.shape[2] !== dim) {
    fail(fn, `x must have the shape [B, n, dim] with dim ${dim}`, x.shape);
  }
}

/**
 * Checks a call for tokens of shape [B, n, dim] and chooses who computes its attention, as
 * {@link planOf} does.
 */
export function planMHA(
  fn: string,
  [batch, n]: number[],
  config: LocalMHAConfig,
  call: LocalAttentionCall,
): Plan {
  const head = [batch, config.heads, n, config.dimHead];
  return planOf(fn, {q: head, k: head, v: head}, config.attention, call);
}

/** What {@link project} makes of the tokens. */
export interface Projected {
  /** [B, h, m, d] each: the l2 norm and the learned scales are in them, scale and rotation not. */
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
  /** [B · m, dim]: the tokens as they were projected, after the norm; the gate reads them. */
  input: tf.Tensor;
}

/**
 * Multi-head self-attention over x [B, n, dim]:
 *
 *     x → LayerNorm (prenorm) → q | k | v → l2 norm and learned scale (qkRmsnorm)
 *       → local attention → sigmoid gate per head (gateValuesPerHead) → projection to [B, n, dim]
 *
 * @param attend the attention: of the whole sequence, as {@link planMHA} planned it for this x, or of
 *     new tokens and those that a cache keeps
 */
export function localMHA(
  x: tf.Tensor,
  weights: LocalMHAWeights,
  config: LocalMHAConfig,
  attend: (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) => tf.Tensor,
): tf.Tensor {
  if (x.size === 0) return nothing([x, ...Object.values(weights)], x.shape);
  return tf.tidy(() => {
    const {q, k, v, input} = project(x, weights, config);
    return merge(attend(q, k, v), input, weights, config);
  });
}

/** x [B, m, dim] -> queries, keys and values of its heads */
export function project(x: tf.Tensor, weights: LocalMHAWeights, config: LocalMHAConfig): Projected {
  const [batch, m, dim] = x.shape;
  const {heads, dimHead} = config;
  const tokens = tf.reshape(x, [batch * m, dim]);
  const input = config.prenorm
    ? layerNorm(tokens, weights['norm/gamma']!, weights['norm/beta']!)
    : tokens;

  // [B · m, 3 · h · d] -> three of [B, h, m, d]
  const [q, k, v] = tf
    .split(multiply(input, weights['to_qkv/kernel']), 3, 1)
    .map((part) => tf.transpose(tf.reshape(part, [batch, m, heads, dimHead]), [0, 2, 1, 3]));
  const scaled = (x: tf.Tensor, scale: tf.Tensor) => tf.mul(l2Normalize(x), scale);
  return {
    q: (config.qkRmsnorm ? scaled(q, weights.q_scale!) : q) as tf.Tensor4D,
    k: (config.qkRmsnorm ? scaled(k, weights.k_scale!) : k) as tf.Tensor4D,
    v: v as tf.Tensor4D,
    input,
  };
}

/** attended [B, h, m, d], and the input that {@link project} gave with its heads -> [B, m, dim] */
export function merge(
  attended: tf.Tensor,
  input: tf.Tensor,
  weights: LocalMHAWeights,
  {dim, heads, dimHead, gateValuesPerHead}: LocalMHAConfig,
): tf.Tensor {
  const [batch, , m] = attended.shape;
  const gated = gateValuesPerHead
    ? tf.mul(attended, gate(input, weights, [batch, m, heads]))
    : attended;
  const merged = tf.reshape(tf.transpose(gated, [0, 2, 1, 3]), [batch * m, heads * dimHead]);
  return tf.reshape(multiply(merged, weights['to_out/kernel']), [batch, m, dim]);
}

/** [B · m, dim] -> [B, h, m, 1] */
function gate(x: tf.Tensor, weights: LocalMHAWeights, shape: [number, number, number]): tf.Tensor {
  const logits = tf.add(multiply(x, weights['to_v_gate/kernel']!), weights['to_v_gate/bias']!);
  const byToken = tf.reshape(tf.sigmoid(logits), shape);
  return tf.expandDims(tf.transpose(byToken, [0, 2, 1]), -1);
}
