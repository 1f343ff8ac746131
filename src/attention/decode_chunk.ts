/**
 * The attention of new tokens of **one window**: the rows of their bias then follow one another, their
 * keys have the slots of one context, and the powers of xpos are bounded as in it.
 *
 * m: new tokens; K: places of the ring; S = K + m: laid keys, the ring's and then the new ones, of which
 * those that no query sees are zeros.
 */
import * as tf from '@tensorflow/tfjs';

import {hostXposScale} from '../rotary/xpos';
import {extremes} from './composite_weights';
import {KeptKeys, firstSeen, tokensInPlaces} from './kept_keys';
import type {Problem} from './problem';
import {SELF_SCORE} from './visibility';

/** The new tokens: scaled and rotated queries, keys and values as they are kept, bool mask [B, m]. */
export interface NewTokens {
  /** [B, h, m, d] */
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  /** [B, h, m, dv] */
  v: tf.Tensor4D;
  mask: tf.Tensor2D | null;
}

/** The output, [B, h, m, dv]. */
export function attendChunk(fresh: NewTokens, kept: KeptKeys, p: Problem): tf.Tensor4D {
  const tokens = laidTokens(kept, fresh.q.shape[2]);
  const {seenBySome, limit} = limits(tokens, fresh, kept, p);
  // what has left the window may be no number, and 0 times that is none
  const laid = (old: tf.Tensor4D, all: tf.Tensor4D) =>
    tf.where(seenBySome, tf.concat([old, all], 2), 0) as tf.Tensor4D;

  const queries = p.xposBase === null ? fresh.q : xposQueries(fresh.q, kept.position, p);
  const keys = laid(kept.k, fresh.k);
  const met = p.xposBase === null ? keys : xposKeys(keys, tokens, kept.position, p);
  let scores: tf.Tensor4D = tf.matMul(queries, met, false, true); // [B, h, m, d] x [B, h, S, d]
  if (p.bias) scores = addBias(scores, p.bias, tokens, kept.position, p);
  if (p.sharedQk) scores = tf.where(self(tokens, kept.position), SELF_SCORE, scores) as tf.Tensor4D;

  const hidden = tf.minimum(scores, limit);
  const top = tf.maximum(tf.max(hidden, -1, true), extremes().floor);
  const powers = tf.exp(tf.sub(hidden, top));
  // a row that sees a key has a sum of at least exp(0); any other has none, and gets zeros
  const weights = tf.div(powers, tf.maximum(tf.sum(powers, -1, true), 0.5));
  return tf.matMul(weights, laid(kept.v, fresh.v)) as tf.Tensor4D; // [B, h, m, S] x [B, h, S, dv]
}

/** The position of each laid key: [S] */
function laidTokens(kept: KeptKeys, count: number): number[] {
  const fresh = Array.from({length: count}, (_, at) => kept.position + at);
  return [...tokensInPlaces(kept.position, kept.k.shape[2]), ...fresh];
}

/** Which keys are seen at all, bool [1, 1, S, 1]; and the most that a score may be, [B or 1, 1, m, S]. */
function limits(
  tokens: number[],
  {mask, q}: NewTokens,
  kept: KeptKeys,
  p: Problem,
): {seenBySome: tf.Tensor4D; limit: tf.Tensor} {
  const {shown, hidden} = extremes();
  const count = q.shape[2];
  const bySome = tokens.map(() => 0);
  const caps = Array.from({length: count}, (_, at) => {
    const query = kept.position + at;
    const first = Math.max(0, firstSeen(p, query));
    return tokens.map((token, at) => {
      const sees = token >= first && token <= query;
      if (sees) bySome[at] = 1;
      return sees ? shown : hidden;
    });
  });
  const seenBySome = tf.tensor4d(bySome, [1, 1, tokens.length, 1], 'bool');
  const limit = tf.tensor4d(caps.flat(), [1, 1, count, tokens.length]);
  if (!mask && !kept.exists) return {seenBySome, limit};
  const [batch, , capacity] = kept.k.shape;
  const exists = tf.concat(
    [
      kept.exists ?? tf.ones([batch, capacity]),
      mask ? tf.cast(mask, 'float32') : tf.ones([batch, count]),
    ],
    1,
  );
  const ofKeys = tf.where(tf.greater(exists, 0), shown, hidden);
  const byBatch = tf.reshape(ofKeys, [batch, 1, 1, tokens.length]);
  return {seenBySome, limit: tf.minimum(limit, byBatch)};
}

/** Where a query meets itself: bool [1, 1, m, S] */
function self(tokens: number[], position: number): tf.Tensor4D {
  const count = tokens[tokens.length - 1] + 1 - position;
  const rows = Array.from({length: count}, (_, at) => tokens.map((token) => +(token === position + at))); // prettier-ignore
  return tf.tensor4d(rows.flat(), [1, 1, count, tokens.length], 'bool');
}

// heads are the minor part of b: [b / hb, hb, m, S] + [1, hb, m, S]
function addBias(
  scores: tf.Tensor4D,
  bias: tf.Tensor,
  tokens: number[],
  position: number,
  p: Problem,
): tf.Tensor4D {
  const [batch, heads, count, laid] = scores.shape;
  const table: tf.Tensor3D = tf.reshape(bias, [p.biasHeads, p.windowSize, p.context]);
  const rows = tf.slice(table, [0, position % p.windowSize, 0], [p.biasHeads, count, p.context]);
  const ofKeys = tf.gather(rows, tf.tensor1d(slotsOf(tokens, position, p), 'int32'), 2);
  const byHead = tf.reshape(scores, [(batch * heads) / p.biasHeads, p.biasHeads, count, laid]);
  return tf.reshape(tf.add(byHead, tf.expandDims(ofKeys, 0)), scores.shape);
}

function xposQueries(q: tf.Tensor4D, position: number, p: Problem): tf.Tensor4D {
  const first = p.context - p.windowSize + (position % p.windowSize);
  const slots = Array.from({length: q.shape[2]}, (_, at) => first + at);
  return tf.mul(q, xposFactors(slots, 1, p));
}

function xposKeys(k: tf.Tensor4D, tokens: number[], position: number, p: Problem): tf.Tensor4D {
  return tf.mul(k, xposFactors(slotsOf(tokens, position, p), -1, p));
}

/** [slots, d] */
function xposFactors(slots: number[], sign: 1 | -1, p: Problem): tf.Tensor2D {
  const half = p.headDim / 2;
  const table = hostXposScale(p.context, p.headDim, p.xposBase!, sign);
  const values = new Float32Array(slots.length * p.headDim);
  slots.forEach((slot, row) => {
    const factors = table.subarray(slot * half, (slot + 1) * half);
    values.set(factors, row * p.headDim);
    values.set(factors, row * p.headDim + half);
  });
  return tf.tensor2d(values, [slots.length, p.headDim]);
}

/** The slot of each key in the context of the window that `position` is in; any for one that left it. */
function slotsOf(tokens: number[], position: number, p: Problem): number[] {
  const window = Math.floor(position / p.windowSize);
  const start = (window - p.lookBackward) * p.windowSize;
  return tokens.map((token) => Math.max(0, token - start));
}
