import * as tf from '@tensorflow/tfjs';

/** The windows of `length` characters that begin at `starts`, [B, length]. The caller disposes them. */
export function windowsAt(text: Int32Array, starts: number[], length: number): tf.Tensor2D {
  const ids = new Int32Array(starts.length * length);
  starts.forEach((start, row) => ids.set(text.subarray(start, start + length), row * length));
  return tf.tensor2d(ids, [starts.length, length], 'int32');
}
