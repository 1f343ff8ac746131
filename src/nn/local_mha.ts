import * as tf from '@tensorflow/tfjs';

import {LOCAL_ATTENTION, LocalAttentionConfig, resolveConfig} from '../attention/config';
import {fail} from '../check/errors';
import {l2Normalize} from '../attention/l2_normalize';
import {attend} from '../attention/local_attention';
import {HeadSizes, fusedBranch, mergeHeads, splitHeads} from './attend_heads';
import {Norm, layerNorm} from './layer_norm';
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
  /** As in `localAttention`, but **on** by default. */
  exactWindowsize: flag(true),
};

/**
 * The options of local multi-head attention. `null` counts as absent.
 *
 * @interface
 */
export type LocalMHAArgs = Given<typeof LOCAL_MHA>;

/**
 * {@link LocalMHAArgs} checked and complete. Frozen.
 *
 * @interface
 */
export type LocalMHAConfig = Omit<Chosen<typeof LOCAL_MHA>, keyof typeof INNER> & {
  /** The options of the attention inside. */
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

/** The attention of some tokens and those that a cache keeps: q, k, v [B, h, m, d] -> [B, h, m, d] */
export type Attend = (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) => tf.Tensor;

/**
 * Multi-head self-attention over x [B, n, dim]:
 *
 *     x → LayerNorm (prenorm) → q | k | v → l2 norm and learned scale (qkRmsnorm)
 *       → local attention → sigmoid gate per head (gateValuesPerHead) → projection to [B, n, dim]
 *
 * @param attention what {@link planMHA} made of this x; or another attention, in a step of decoding
 */
export function localMHA(
  x: tf.Tensor,
  weights: LocalMHAWeights,
  config: LocalMHAConfig,
  attention: Plan | Attend,
): tf.Tensor {
  if (x.size === 0) return nothing([x, ...Object.values(weights)], x.shape);
  return tf.tidy(() => {
    const plain = !config.qkRmsnorm && !config.gateValuesPerHead;
    if (typeof attention !== 'function' && attention.fused && plain) {
      const tokens = tf.reshape(x, [-1, config.dim]);
      const branch = {
        norm: config.prenorm ? normOf(weights) : null,
        ...{toQkv: weights['to_qkv/kernel'], toOut: weights['to_out/kernel']},
      };
      const out = fusedBranch(tokens, branch, sizesOf(x, config), attention.problem);
      return tf.reshape(out, x.shape);
    }
    const {q, k, v, input} = project(x, weights, config);
    const attended =
      typeof attention === 'function' ? attention(q, k, v) : attend(q, k, v, attention);
    return merge(attended, input, weights, config);
  });
}

/** x [B, m, dim] -> queries, keys and values of its heads */
export function project(x: tf.Tensor, weights: LocalMHAWeights, config: LocalMHAConfig): Projected {
  const tokens = tf.reshape(x, [-1, config.dim]);
  const input = config.prenorm ? layerNorm(tokens, normOf(weights)) : tokens;
  const [q, k, v] = splitHeads(multiply(input, weights['to_qkv/kernel']), sizesOf(x, config));
  const scaled = (x: tf.Tensor4D, scale: tf.Tensor): tf.Tensor4D => tf.mul(l2Normalize(x), scale);
  return {
    q: config.qkRmsnorm ? scaled(q, weights.q_scale!) : q,
    k: config.qkRmsnorm ? scaled(k, weights.k_scale!) : k,
    v,
    input,
  };
}

/** attended [B, h, m, d], and the input that {@link project} gave with its heads -> [B, m, dim] */
export function merge(
  attended: tf.Tensor,
  input: tf.Tensor,
  weights: LocalMHAWeights,
  {dim, gateValuesPerHead}: LocalMHAConfig,
): tf.Tensor {
  const [batch, heads, n, dimHead] = attended.shape as number[];
  const gated = gateValuesPerHead
    ? tf.mul(attended, gate(input, weights, [batch, n, heads]))
    : attended;
  const merged = mergeHeads([gated], {batch, n, heads, dimHead});
  return tf.reshape(multiply(merged, weights['to_out/kernel']), [batch, n, dim]);
}

/** [B · n, dim] -> [B, h, n, 1] */
function gate(x: tf.Tensor, weights: LocalMHAWeights, shape: [number, number, number]): tf.Tensor {
  const logits = tf.add(multiply(x, weights['to_v_gate/kernel']!), weights['to_v_gate/bias']!);
  const byToken = tf.reshape(tf.sigmoid(logits), shape);
  return tf.expandDims(tf.transpose(byToken, [0, 2, 1]), -1);
}

function normOf(weights: LocalMHAWeights): Norm {
  return {gamma: weights['norm/gamma']!, beta: weights['norm/beta']!};
}

function sizesOf({shape: [batch, n]}: tf.Tensor, {heads, dimHead}: LocalMHAConfig): HeadSizes {
  return {batch, n: n!, heads, dimHead};
}
