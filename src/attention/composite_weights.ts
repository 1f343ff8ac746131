/** The attention weights of the composite, and the tables that they depend on. */
import * as tf from '@tensorflow/tfjs';

import {xposFactor} from '../rotary/xpos';
import type {Sequences} from './composite_sequences';
import {keepFactors} from './dropout';
import {keepsFloat16} from './float16';
import type {Problem} from './problem';
import {SELF_SCORE, band, diagonal, existing} from './visibility';
import {bucket, layoutOf, lookAround} from './windows';

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
    xpos: p.xposBase === null ? null : xposFactors(p, p.xposBase),
    keep: keepFactors(p),
  };
}

function xposFactors(p: Problem, base: number): {query: tf.Tensor2D; key: tf.Tensor2D} {
  const {context, skipped} = layoutOf(p);
  const half = p.headDim / 2;
  const factors = (rows: number, firstSlot: number, sign: 1 | -1) => {
    const values = new Float32Array(rows * p.headDim);
    for (let row = 0; row < rows; row++) {
      const power = (sign * (firstSlot + row - Math.floor(p.context / 2))) / base;
      for (let c = 0; c < p.headDim; c++) {
        values[row * p.headDim + c] = xposFactor(c % half, p.headDim, power);
      }
    }
    return tf.tensor2d(values, [rows, p.headDim]);
  };
  // the queries stand in the last window of the context, as they do for rotary
  const query = factors(p.windowSize, p.context - p.windowSize, 1);
  return {query, key: factors(context, skipped, -1)};
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
  if (bias) scores = applied(scores, (x) => addBias(x, bias, p));
  if (tables.self) {
    const self = tf.cast(tables.self, 'bool');
    scores = applied(scores, (x) => tf.where(self, SELF_SCORE, x) as tf.Tensor4D);
  }
  // a minimum hides in one pass and without a mask of the scores' size, and hides ±Infinity too
  for (const seen of [tables.band, tables.existing]) {
    if (!seen) continue;
    const cap = tf.where(tf.cast(seen, 'bool'), shown, hidden);
    scores = applied(scores, (x) => tf.minimum(x, cap) as tf.Tensor4D);
  }
  const top = tf.maximum(tf.max(scores, -1, true), floor);
  const powers = applied(
    applied(scores, (x) => tf.sub(x, top) as tf.Tensor4D),
    (x) => tf.exp(x),
  );
  // a row that sees a key has a sum of at least exp(0); any other has none, and gets zeros
  const sums = tf.maximum(tf.sum(powers, -1, true), 0.5);
  return applied(powers, (x) => tf.div(x, sums) as tf.Tensor4D);
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
export function applied<T extends tf.Tensor>(x: T, f: (x: T) => T): T {
  const y = f(x);
  x.dispose();
  return y;
}

// heads are the minor part of b: [B, h, W, w · C] + [1, h, 1, w · C]
function addBias(scores: tf.Tensor4D, bias: tf.Tensor3D, p: Problem): tf.Tensor4D {
  const {b, windows, context} = layoutOf(p);
  const table = p.windowSize * context;
  const byHead = tf.reshape(scores, [b / p.biasHeads, p.biasHeads, windows, table]);
  const sum = tf.add(byHead, tf.reshape(bias, [1, p.biasHeads, 1, table]));
  return tf.reshape(sum, scores.shape);
}

/**
 * What a score may be at most where a key is shown and where it is hidden, and the least maximum
 * of a row. A row that sees nothing then has a maximum of `floor`, and exp(hidden − floor) is
 * exactly 0. Hidden is finite, because GPUs make NaN of ∞ − ∞; and all are within float16 where
 * WebGL textures hold no more.
 */
export function extremes(): {shown: number; hidden: number; floor: number} {
  return keepsFloat16()
    ? {shown: 65504, hidden: -6e4, floor: -5.5e4}
    : {shown: Infinity, hidden: -1e30, floor: -5e29};
}
