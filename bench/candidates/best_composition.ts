/**
 * The fastest that we could compose of ordinary TF.js ops. Two forms, because no backend likes one
 * for everything:
 *
 *  - `tuned` is the straightforward form with an additive mask made beforehand and no masked fill;
 *  - `perWindow` multiplies one window of one head at a time, without transposing: the only products
 *    that the wasm backend gives to its fast library, and small enough to stay in the cache.
 */
import * as tf from '@tensorflow/tfjs';

import {Attend} from './tfjs';
import {What, Workload} from '../workloads';

const MASKED_SCORE = -1e9;

/** Below it, calling kernels for each window costs more than it saves. */
const LEAST_WINDOW = {forward: 64, training: 128};

/** Which form wins on `backend`, as measured. */
export function bestForm(backend: string, what: What, {w}: Workload): 'tuned' | 'perWindow' {
  return backend === 'tensorflow' || w < LEAST_WINDOW[what] ? 'tuned' : 'perWindow';
}

export function bestComposition(form: 'tuned' | 'perWindow', workload: Workload): Attend {
  return form === 'tuned' ? tuned(workload) : perWindow(workload);
}

function tuned({heads, n, d, w}: Workload): Attend {
  const windows = n / w;
  const mask = tf.concat([causal(w, true), tf.tile(causal(w, false), [windows - 1, 1, 1])]);
  const context = (x: tf.Tensor) => {
    const own = tf.reshape(x, [heads, windows, w, d]);
    const before = tf.slice(own, [0, 0, 0, 0], [-1, windows - 1, -1, -1]);
    const nothing = tf.zeros([heads, 1, w, d]);
    return tf.concat([tf.concat([nothing, before], 1), own], 2);
  };
  return (q, k, v) => {
    const queries = tf.reshape(tf.mul(q, d ** -0.5), [heads, windows, w, d]);
    const scores = tf.matMul(queries, context(k), false, true);
    const out = tf.matMul(tf.softmax(tf.add(scores, mask)), context(v));
    return tf.reshape(out, [heads, n, d]);
  };
}

function perWindow({heads, n, d, w}: Workload): Attend {
  const windows = n / w;
  const [firstMask, mask] = [tf.slice(causal(w, true), [0, 0, w], [1, w, w]), causal(w, false)];
  const cut = (x: tf.Tensor) => split(tf.reshape(x, [heads * windows, w, d]), heads * windows);
  return (q, k, v) => {
    const queries = cut(tf.mul(q, d ** -0.5)); // each [1, w, d]
    const transposed = tf.transpose(tf.reshape(k, [heads * windows, w, d]), [0, 2, 1]);
    const keys = split(transposed, heads * windows); // each [1, d, w]
    const values = cut(v);
    const attendWindow = (query: tf.Tensor, at: number) => {
      const first = at % windows === 0;
      const seen = first ? keys[at] : tf.concat([keys[at - 1], keys[at]], 2);
      const scores = tf.add(tf.matMul(query, seen), first ? firstMask : mask);
      const context = first ? values[at] : tf.concat([values[at - 1], values[at]], 1);
      return tf.matMul(tf.softmax(scores), context);
    };
    const outs = queries.map((query, at) => tf.tidy(() => attendWindow(query, at)));
    return tf.reshape(tf.concat(outs), [heads, n, d]);
  };
}

/** By and by, because the wasm backend copies all of a tensor for each part that it cuts out. */
function split(x: tf.Tensor, parts: number): tf.Tensor[] {
  const divisors = [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2];
  const few = divisors.find((divisor) => parts % divisor === 0);
  if (!few || parts <= few) return tf.split(x, parts);
  return tf.tidy(() => tf.split(x, few).flatMap((part) => split(part, parts / few)));
}

/** What is added to the scores of a window: [1, w, 2w]; the first window has nothing before it. */
function causal(w: number, first: boolean): tf.Tensor {
  const query = tf.reshape(tf.range(0, w), [1, w, 1]);
  const key = tf.range(-w, w);
  const from = tf.greaterEqual(key, first ? 0 : -w);
  const seen = tf.logicalAnd(tf.lessEqual(key, query), from);
  return tf.mul(tf.sub(1, tf.cast(seen, 'float32')), MASKED_SCORE);
}
