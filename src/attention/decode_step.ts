/**
 * The attention of new tokens to those before them, of which just the keys are kept that a later
 * query can see. In ordinary tf ops, as the composite is, the meaning that kernels are measured by; and one
 * token by a kernel, where the backend has one and `implementation` is not `'composite'`.
 */
import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../check/errors';
import type {LocalAttentionConfig} from './config';
import {NewTokens, attendChunk} from './decode_chunk';
import {canDecodeFused, decodeFused} from './decode_fused';
import {attendLong} from './decode_long';
import {KeptKeys, keysOfNone, withNewKeys} from './kept_keys';
import {l2Normalize} from './l2_normalize';
import {Problem, Shapes, problemOf} from './problem';
import {turned} from './turned';

export interface DecodeCall {
  /** Which of the new tokens exist, for ever: bool [B, m]. Without it all do. */
  mask?: tf.Tensor | null;
  /** As in `localAttention`: [h, w, C] or [w, C]. */
  attnBias?: tf.Tensor | null;
}

export interface Decoded {
  /** [B, h, m, dv] */
  out: tf.Tensor4D;
  kept: KeptKeys;
}

/**
 * Checks an attention that is to decode, of shapes [B, h, m, d], and says all of it that does not
 * change. Allocates nothing.
 *
 * @throws if it is not causal, or breaks a rule of `localAttention`
 */
export function decodeProblem(
  fn: string,
  shapes: Shapes,
  config: LocalAttentionConfig,
  call: DecodeCall = {},
): Problem {
  if (!config.causal) {
    refuse(fn, 'decoding needs causal: true, since without it a token sees those after it too');
  }
  const p = problemOf(fn, shapes, {...config, autopad: true}, call);
  if (p.mask && p.mask.shape[0] !== p.batch) {
    fail(fn, `mask must have the shape [B, m] with B ${p.batch}`, p.mask);
  }
  return p;
}

/** What is kept before any token of such a problem. */
export function keepNone(p: Problem): KeptKeys {
  return tf.tidy(() => keysOfNone(p) as never);
}

/**
 * The positions of the new tokens in `localAttention` of all tokens so far: out_i for i = position …
 * position + m − 1, where `position` tokens have been given before.
 *
 * @param q float32 [B, h, m, d], neither scaled nor rotated, and so k; v float32 [B, h, m, dv]; any m
 * @param kept what the call before has given, or {@link keepNone}
 * @returns the output, and what is to be kept: new tensors, or those of `kept`, in which a kernel has
 *     written to a place that no later query sees. `kept` thus stays good until what came of it is
 *     used. Of a token that exists and holds NaN or infinities, all that is computed together with it
 *     may become NaN.
 */
export function decodeStep(
  fn: string,
  [q, k, v]: [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D],
  kept: KeptKeys,
  config: LocalAttentionConfig,
  call: DecodeCall = {},
): Decoded {
  const p = decodeProblem(fn, {q: q.shape, k: k.shape, v: v.shape}, config, call);
  // TF.js takes records with null apart, as its types do not say
  return tf.tidy(() => decode(fn, q, k, v, kept, config, p) as never);
}

function decode(
  fn: string,
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  kept: KeptKeys,
  config: LocalAttentionConfig,
  p: Problem,
): Decoded {
  if (p.length === 0 || v.size === 0) return {out: tf.zeros(v.shape), kept};
  if (config.implementation !== 'composite' && canDecodeFused(p)) {
    return decodeFused(q, k, v, kept, p);
  }
  const fresh = placed(q, k, v, kept.position, p);
  if (p.length > p.windowSize || (p.length > 1 && kept.position === 0)) {
    const out = attendLong(fn, q, k, v, kept, {...config, autopad: true}, p);
    return {out, kept: withNewKeys(kept, fresh.k, fresh.v, p.mask)};
  }
  const outputs: tf.Tensor4D[] = [];
  for (let at = 0, count: number; at < p.length; at += count) {
    count = Math.min(p.length - at, p.windowSize - (kept.position % p.windowSize));
    const chunk = count === p.length ? fresh : part(fresh, at, count);
    outputs.push(attendChunk(chunk, kept, p));
    kept = withNewKeys(kept, chunk.k, chunk.v, chunk.mask);
  }
  return {out: outputs.length === 1 ? outputs[0] : tf.concat(outputs, 2), kept};
}

/** As they meet and are kept: tokens that do not exist are zeros, whatever padding holds there. */
function placed(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  position: number,
  p: Problem,
): NewTokens {
  const {mask} = p;
  const [b, m] = [p.batch, p.length];
  const existing = (x: tf.Tensor4D) =>
    mask ? (tf.where(tf.reshape(mask, [b, 1, m, 1]), x, 0) as tf.Tensor4D) : x;
  const keys = p.sharedQk ? l2Normalize(existing(k)) : existing(k);
  const queries = turned(tf.mul(q, p.scale), position, 1, p);
  return {q: queries, k: turned(keys, position, 1, p), v: existing(v), mask};
}

function part({q, k, v, mask}: NewTokens, at: number, count: number): NewTokens {
  const cut = (x: tf.Tensor4D): tf.Tensor4D => {
    const [batch, heads, , channels] = x.shape;
    return tf.slice(x, [0, 0, at, 0], [batch, heads, count, channels]);
  };
  const ofMask = mask && tf.slice(mask, [0, at], [mask.shape[0], count]);
  return {q: cut(q), k: cut(k), v: cut(v), mask: ofMask};
}
