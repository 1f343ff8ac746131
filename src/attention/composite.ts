/**
 * Windowed attention in ordinary tf ops: the meaning that every kernel is measured by.
 *
 * b: heads times batch; W: windows; w: tokens in one; C: slots of a window's context; N = W · w.
 * All tensors have rank 4 or less, since WebGL and WebGPU pad and select no more. Contraction is
 * matMul throughout: tf.einsum has no gradient on any backend and no kernel on wasm.
 */
import * as tf from '@tensorflow/tfjs';

import {keepFactors} from './dropout';
import {Problem} from './problem';
import {xposScale} from '../rotary/rotary';
import {SELF_SCORE, band, bucket, diagonal, existing, lookAround, unbucket} from './visibility';

/** What the composite attends over. */
export interface Sequences {
  /** [b, N, d], scaled and rotated */
  q: tf.Tensor3D;
  /** [b, N, d], rotated */
  k: tf.Tensor3D;
  /** [b, N, dv] */
  v: tf.Tensor3D;
  /** [h, w, C] or [w, C] */
  bias: tf.Tensor | null;
}

/** Tables that depend on the problem alone. */
export interface Tables {
  /** 1 where the band holds, [w, C]; null if all are seen */
  band: tf.Tensor2D | null;
  /** 1 where the key exists, [b or 1, W, 1, C] */
  existing: tf.Tensor4D;
  /** 1 where a query meets itself, [w, C]; null without sharedQk */
  self: tf.Tensor2D | null;
  /** xpos factors of the queries by row, [w, d], and of the keys by slot, [C, d] */
  xpos: {query: tf.Tensor2D; key: tf.Tensor2D} | null;
  /** dropout factors of the weights, [b, W, w, C]; null without dropout */
  keep: tf.Tensor4D | null;
}

export function tablesOf(p: Problem): Tables {
  return {
    band: band(p),
    existing: existing(p),
    self: p.sharedQk ? diagonal(p) : null,
    xpos: xposFactors(p),
    keep: keepFactors(p),
  };
}

function xposFactors(p: Problem): Tables['xpos'] {
  if (p.xposBase === null) return null;
  const factors = (inverse: boolean) => {
    const half = xposScale(p.context, p.d, {scaleBase: p.xposBase!, inverse});
    return tf.concat([half, half], 1);
  };
  // the queries stand in the last window of the context, as they do for rotary
  return {query: tf.slice(factors(false), [p.context - p.w, 0], [p.w, p.d]), key: factors(true)};
}

/** softmax(q kᵀ + bias over the visible keys) v, dropout between: [b, N, dv]. */
export function attend(sequences: Sequences, tables: Tables, p: Problem): tf.Tensor3D {
  const weights = attentionWeights(sequences, tables, p);
  const dropped = tables.keep ? then(weights, (x) => tf.mul(x, tables.keep!)) : weights;
  const values = lookAround(bucket(sequences.v, p), p);
  return unbucket(tf.matMul(dropped, values) as tf.Tensor4D); // [b, W, w, C] x [b, W, C, dv]
}

/** The weights before dropout, [b, W, w, C]: 0 for what is not visible, rows of 0 where nothing is. */
export function attentionWeights(sequences: Sequences, tables: Tables, p: Problem): tf.Tensor4D {
  const {shown, hidden, floor} = extremes();
  // a tidy of its own, because contexts of many windows can be larger than the scores
  let scores = tf.tidy(() => {
    const queries = windowQueries(sequences.q, tables, p);
    const keys = contextKeys(sequences.k, tables, p);
    // [b, W, w, d] x [b, W, C, d] -> [b, W, w, C]
    return tf.matMul(queries, keys, false, true) as tf.Tensor4D;
  });
  const {bias} = sequences;
  if (bias) scores = then(scores, (x) => addBias(x, bias, p));
  if (tables.self) {
    const self = tf.cast(tables.self, 'bool');
    scores = then(scores, (x) => tf.where(self, SELF_SCORE, x) as tf.Tensor4D);
  }
  // a minimum hides in one pass and without a mask of the scores' size, and hides ±Infinity too
  for (const seen of [tables.band, tables.existing]) {
    if (!seen) continue;
    const cap = tf.where(tf.cast(seen, 'bool'), shown, hidden);
    scores = then(scores, (x) => tf.minimum(x, cap) as tf.Tensor4D);
  }
  const top = tf.maximum(tf.max(scores, -1, true), floor);
  const powers = then(
    then(scores, (x) => tf.sub(x, top) as tf.Tensor4D),
    (x) => tf.exp(x),
  );
  // a row that sees a key has a sum of at least exp(0); any other has none, and gets zeros
  const sums = tf.maximum(tf.sum(powers, -1, true), 0.5);
  return then(powers, (x) => tf.div(x, sums) as tf.Tensor4D);
}

/** The queries of each window as they meet the keys: [b, W, w, d]. */
export function windowQueries(q: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor4D {
  const queries = bucket(q, p);
  return tables.xpos ? tf.mul(queries, tables.xpos.query) : queries;
}

/** The keys of each window's context as the queries meet them: [b, W, C, d]. */
export function contextKeys(k: tf.Tensor3D, tables: Tables, p: Problem): tf.Tensor4D {
  const keys = lookAround(bucket(k, p), p);
  return tables.xpos ? tf.mul(keys, tables.xpos.key) : keys;
}

/** Applies `f` and frees what it was applied to: two tensors of the scores' size live, not ten. */
export function then<T extends tf.Tensor>(x: T, f: (x: T) => T): T {
  const y = f(x);
  x.dispose();
  return y;
}

// heads are the minor part of b: [B, h, W, w · C] + [1, h, 1, w · C]
function addBias(scores: tf.Tensor4D, bias: tf.Tensor, p: Problem): tf.Tensor4D {
  const table = p.w * p.context;
  const byHead = tf.reshape(scores, [p.b / p.heads, p.heads, p.windows, table]);
  const sum = tf.add(byHead, tf.reshape(bias, [1, p.heads, 1, table]));
  return tf.reshape(sum, scores.shape);
}

/**
 * What a score may be at most where a key is shown and where it is hidden, and the least maximum
 * of a row. A row that sees nothing then has a maximum of `floor`, and exp(hidden − floor) is
 * exactly 0. Hidden is finite, because GPUs make NaN of ∞ − ∞; and all are within float16 where
 * WebGL textures hold no more.
 */
function extremes(): {shown: number; hidden: number; floor: number} {
  const half = tf.getBackend() === 'webgl' && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  return half
    ? {shown: 65504, hidden: -6e4, floor: -5.5e4}
    : {shown: Infinity, hidden: -1e30, floor: -5e29};
}
