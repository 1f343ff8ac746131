/**
 * The attention of more new tokens than a window has: the whole one, over a sequence that begins with
 * the first window that they see, whose queries nobody asks for.
 */
import * as tf from '@tensorflow/tfjs';

import type {LocalAttentionConfig} from './config';
import {KeptKeys} from './kept_keys';
import {attend} from './local_attention';
import {planOf} from './plan';
import type {Problem} from './problem';
import {turned} from './turned';

/** Of q, k [B, h, m, d] and v [B, h, m, dv] as they were given: [B, h, m, dv]. */
export function attendLong(
  fn: string,
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  kept: KeptKeys,
  config: LocalAttentionConfig,
  p: Problem,
): tf.Tensor4D {
  const {position} = kept;
  const window = Math.floor(position / p.windowSize);
  const start = Math.max(0, (window - p.lookBackward) * p.windowSize);
  const before = position - start;
  const all = before === 0 ? {q, k, v, mask: p.mask} : withKept(q, k, v, kept, start, p);
  const shapes = {q: all.q.shape, k: all.k.shape, v: all.v.shape};
  const plan = planOf(fn, shapes, config, {mask: all.mask, attnBias: p.bias});
  const out = attend(all.q, all.k, all.v, plan) as tf.Tensor4D;
  return before === 0 ? out : tf.slice(out, [0, 0, before, 0], v.shape);
}

/** The sequence from `start` on. An exact band sees too little of it for all of it to be kept: the rest is anything. */
function withKept(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  kept: KeptKeys,
  start: number,
  p: Problem,
) {
  const capacity = kept.k.shape[2];
  const before = kept.position - start;
  const places = Array.from({length: before}, (_, at) => (start + at) % capacity);
  const index = tf.tensor1d(places, 'int32');
  const keys = turned(tf.gather(kept.k, index, 2), start, -1, p);
  const {batch, heads} = p;
  const queries: tf.Tensor4D = tf.zeros([batch, heads, before, p.headDim]);
  return {
    q: tf.concat([queries, q], 2),
    k: tf.concat([keys, k], 2),
    v: tf.concat([tf.gather(kept.v, index, 2), v], 2),
    mask: maskOf(kept, index, p),
  };
}

function maskOf(kept: KeptKeys, index: tf.Tensor1D, p: Problem): tf.Tensor2D | null {
  if (!kept.exists && !p.mask) return null;
  const ones = (tokens: number): tf.Tensor2D => tf.ones([p.batch, tokens]);
  const before = kept.exists ? tf.gather(kept.exists, index, 1) : ones(index.shape[0]);
  const fresh = p.mask ? tf.cast(p.mask, 'float32') : ones(p.length);
  return tf.greater(tf.concat([before, fresh], 1), 0) as tf.Tensor2D;
}
