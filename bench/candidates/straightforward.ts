import * as tf from '@tensorflow/tfjs';

import {Attend} from './tfjs';
import {Workload} from '../workloads';

const MASKED_SCORE = -3.4e38;

/**
 * As one writes it with TF.js, from the definition: cut into windows, look one window back, mask,
 * softmax.
 */
export function straightforward({heads, n, d, w}: Workload): Attend {
  const windows = n / w;
  return (q, k, v) => {
    const queries = tf.mul(tf.reshape(q, [heads, windows, w, d]), d ** -0.5);
    const keys = lookBack(tf.reshape(k, [heads, windows, w, d]), windows);
    const values = lookBack(tf.reshape(v, [heads, windows, w, d]), windows);

    // [heads, windows, w, d] x [heads, windows, 2w, d] -> [heads, windows, w, 2w]
    const scores = tf.matMul(queries, keys, false, true);
    const masked = tf.where(visible(windows, w), scores, tf.fill(scores.shape, MASKED_SCORE));
    const out = tf.matMul(tf.softmax(masked), values);
    return tf.reshape(out, [heads, n, d]);
  };
}

/** Each window after the one before it; zeros before the first. -> [heads, windows, 2w, d] */
function lookBack(x: tf.Tensor, windows: number): tf.Tensor {
  const padded = tf.pad(x, [[0, 0], [1, 0], [0, 0], [0, 0]]); // prettier-ignore
  const before = tf.slice(padded, [0, 0, 0, 0], [-1, windows, -1, -1]);
  return tf.concat([before, x], 2);
}

/** Which slot of its context each query sees: bool [1, windows, w, 2w] */
function visible(windows: number, w: number): tf.Tensor {
  const query = tf.reshape(tf.range(0, windows * w), [1, windows, w, 1]);
  const first = tf.mul(tf.range(-1, windows - 1), w);
  const key = tf.add(tf.reshape(first, [1, windows, 1, 1]), tf.range(0, 2 * w));
  return tf.logicalAnd(tf.lessEqual(key, query), tf.greaterEqual(key, 0));
}
