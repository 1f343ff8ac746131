import * as tf from '@tensorflow/tfjs';

import {fail, failType} from './errors';

/** Throws unless `x` is a living tensor of the given dtype. */
export function checkTensor(
  fn: string,
  name: string,
  x: unknown,
  dtype: tf.DataType,
): asserts x is tf.Tensor {
  if (x instanceof tf.SymbolicTensor) {
    failType(fn, `${name} must not be symbolic (symbolic tensors are for layers)`, x);
  }
  if (!(x instanceof tf.Tensor)) failType(fn, `${name} must be a tf.Tensor of ${dtype}`, x);
  if (x.isDisposed) fail(fn, `${name} must not be disposed (tf.keep or tf.clone keeps one)`, x);
  if (x.dtype !== dtype) {
    failType(fn, `${name} must be ${dtype} (tf.cast(${name}, '${dtype}') makes it so)`, x);
  }
}
