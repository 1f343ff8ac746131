import * as tf from '@tensorflow/tfjs';

import {windowsAt} from './batches';
import {Pairs} from './ngram';

/** Windows of a text in which all but the first `context` characters are to be predicted. */
export interface Windows {
  starts: number[];
  length: number;
  context: number;
}

const BATCH = 8;

/** At most `count` windows, evenly spread over `text`, that share no character to predict. */
export function spread(text: Int32Array, length: number, context: number, count: number): Windows {
  const last = text.length - length - 1; // each window is followed by one more character
  const most = Math.floor(last / (length - context)) + 1;
  const used = Math.max(1, Math.min(count, most));
  const step = used === 1 ? 0 : last / (used - 1);
  return {starts: Array.from({length: used}, (_, i) => Math.floor(i * step)), length, context};
}

/** The characters to predict in the windows, for models that see one character back. */
export function pairsIn(text: Int32Array, {starts, length, context}: Windows): Pairs {
  const gather = (shift: number) =>
    Int32Array.from(
      starts.flatMap((start) => [
        ...text.subarray(start + context + shift, start + length + shift),
      ]),
    );
  return {previous: gather(0), next: gather(1)};
}

/** Bits per character to predict. */
export async function modelBits(
  model: tf.LayersModel,
  text: Int32Array,
  windows: Windows,
): Promise<number> {
  const {starts, length, context} = windows;
  const size = model.outputs[0].shape[2]!;
  let nats = 0;
  for (let first = 0; first < starts.length; first += BATCH) {
    const batch = windowsAt(text, starts.slice(first, first + BATCH), length, size);
    const sum = tf.tidy(() => {
      const logits = model.predictOnBatch(batch.input) as tf.Tensor;
      const surprises = tf.mul(tf.logSoftmax(logits), tf.neg(batch.target)); // [B, n, V]
      return tf.sum(tf.slice(surprises, [0, context, 0], [-1, -1, -1]));
    });
    nats += (await sum.data())[0];
    tf.dispose([batch, sum]);
  }
  return nats / Math.LN2 / (starts.length * (length - context));
}

/** The largest difference of the two models' logits over the first of the windows. */
export async function largestDifference(
  one: tf.LayersModel,
  other: tf.LayersModel,
  text: Int32Array,
  {starts, length}: Windows,
): Promise<number> {
  const size = one.outputs[0].shape[2]!;
  const batch = windowsAt(text, starts.slice(0, BATCH), length, size);
  const largest = tf.tidy(() => {
    const [a, b] = [one, other].map((model) => model.predictOnBatch(batch.input) as tf.Tensor);
    return tf.max(tf.abs(tf.sub(a, b)));
  });
  const [difference] = await largest.data();
  tf.dispose([batch, largest]);
  return difference;
}
