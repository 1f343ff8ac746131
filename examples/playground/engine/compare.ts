/**
 * What the view Compare asks of its worker: how long a call takes and how much it holds. A length is
 * computed once to warm up, when shaders are compiled and memory is taken, and then some times more.
 */
import * as tf from '@tensorflow/tfjs';
import {localAttention, verify} from 'tfjs-local-attention';

import {onDevice} from './backend';
import {BUDGET_MS, CASE, Point, Setting} from './compare_case';

const ENOUGH_MS = 600; // of measuring a point
const FEWEST = 3;
const MOST = 9;

export const compare = {
  measure: (setting: Setting): Promise<Point> => onDevice(() => measured(setting)),
  verify: () => onDevice(() => verify()),
};

async function measured(setting: Setting): Promise<Point> {
  const {heads, headDim} = CASE;
  const shape = [1, heads, setting.n, headDim];
  const inputs = [1, 2, 3].map((seed) => tf.randomNormal(shape, 0, 1, 'float32', seed));
  try {
    const {bytes} = await watched(() => call(inputs, setting));
    const times: number[] = [];
    for (let all = 0; times.length < MOST && (times.length < FEWEST || all < ENOUGH_MS);) {
      const begin = performance.now();
      await call(inputs, setting);
      times.push(performance.now() - begin);
      all += times[times.length - 1];
      if (all > BUDGET_MS) break;
    }
    return {ms: median(times), runs: times.length, bytes};
  } finally {
    tf.dispose(inputs);
  }
}

/** One call, until a number of each result has been read: a GPU has then computed it. */
async function call(inputs: tf.Tensor[], {by, gradient}: Setting): Promise<void> {
  const {windowSize, causal} = CASE;
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
    localAttention(q, k, v, {windowSize, causal, implementation: by});
  const [q, k, v] = inputs;
  const read = tf.tidy(() => {
    const results = gradient ? tf.grads(attend)(inputs, tf.onesLike(v)) : [attend(q, k, v)];
    return tf.concat(results.map((result) => tf.slice(tf.reshape(result, [-1]), 0, 1)));
  });
  await read.data();
  read.dispose();
}

/**
 * Calls `f` and tells the most bytes that tensors have held meanwhile. `tf.profile` tells another number:
 * it counts a reshaped tensor again, though it holds nothing of its own, and reads each one from a GPU.
 */
async function watched(f: () => Promise<void>): Promise<{bytes: number}> {
  const held = tf.engine().state.tensorInfo; // by what holds the values, whichever tensors share them
  const {set: enter, delete: leave} = held;
  let now = tf.memory().numBytes;
  let most = now;
  held.set = (id, holder) => {
    now += holder.bytes;
    most = Math.max(most, now);
    return enter.call(held, id, holder);
  };
  held.delete = (id) => {
    now -= held.get(id)?.bytes ?? 0;
    return leave.call(held, id);
  };
  try {
    await f();
  } finally {
    Object.assign(held, {set: enter, delete: leave});
  }
  return {bytes: most};
}

function median(times: number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
