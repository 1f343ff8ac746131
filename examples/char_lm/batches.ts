import * as tf from '@tensorflow/tfjs';

/** Windows of a text, one hot: what the model reads, and the character after each. */
export interface Batch extends tf.TensorContainerObject {
  /** [B, n, V] */
  input: tf.Tensor;
  /** [B, n, V] */
  target: tf.Tensor;
}

/** [B · n] -> [B, n, V] */
export function oneHot(ids: Int32Array, length: number, size: number): tf.Tensor {
  const rows = tf.tensor2d(ids, [ids.length / length, length], 'int32');
  // cast, because tf.oneHot(…, 'float32') gives the bits of integers on wasm
  return tf.tidy(() => tf.cast(tf.oneHot(rows, size), 'float32'));
}

/** The windows of `length` characters that begin at `starts`. The caller disposes them. */
export function windowsAt(text: Int32Array, starts: number[], length: number, size: number): Batch {
  const ids = (shift: number) => {
    const all = new Int32Array(starts.length * length);
    starts.forEach((start, row) =>
      all.set(text.subarray(start + shift, start + shift + length), row * length),
    );
    return all;
  };
  return tf.tidy(() => ({
    input: oneHot(ids(0), length, size),
    target: oneHot(ids(1), length, size),
  }));
}
