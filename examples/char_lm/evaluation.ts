import * as tf from '@tensorflow/tfjs';
import {languageModelLoss} from 'tfjs-local-attention';

import {windowsAt} from './batches';
import {Pairs} from './ngram';

/** Windows of a text in which all but the first `context` characters are to be predicted. */
export interface Windows {
  starts: number[];
  length: number;
  context: number;
}

const BATCH = 8;
/** No character: a label that is not asked for. */
const IGNORED = -1;

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
  let nats = 0;
  for (let first = 0; first < starts.length; first += BATCH) {
    const rows = starts.slice(first, first + BATCH);
    const ids = windowsAt(text, rows, length + 1);
    const mean = tf.tidy(() => {
      const logits = model.predictOnBatch(ids) as tf.Tensor;
      return languageModelLoss(logits, maskContext(ids, context), {ignoreIndex: IGNORED});
    });
    nats += (await mean.data())[0] * rows.length * (length - context);
    tf.dispose([ids, mean]);
  }
  return nats / Math.LN2 / (starts.length * (length - context));
}

/** The ids with IGNORED where the context is: the first that is not is the one after it. */
function maskContext(ids: tf.Tensor2D, context: number): tf.Tensor {
  const [rows, length] = ids.shape;
  const asked = tf.slice(ids, [0, context + 1], [rows, length - context - 1]);
  return tf.concat([tf.fill([rows, context + 1], IGNORED, 'int32'), asked], 1);
}

/** The largest difference of the two models' logits over the first of the windows. */
export async function largestDifference(
  one: tf.LayersModel,
  other: tf.LayersModel,
  text: Int32Array,
  {starts, length}: Windows,
): Promise<number> {
  const batch = windowsAt(text, starts.slice(0, BATCH), length);
  const largest = tf.tidy(() => {
    const [a, b] = [one, other].map((model) => model.predictOnBatch(batch) as tf.Tensor);
    return tf.max(tf.abs(tf.sub(a, b)));
  });
  const [difference] = await largest.data();
  tf.dispose([batch, largest]);
  return difference;
}
