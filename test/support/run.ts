/** A case by one implementation of the current backend. */
import * as tf from '@tensorflow/tfjs';

import {Implementation, localAttention} from '../../src';
import type {Case} from './cases';
import {configOf, tensorsOf} from './inputs';

export type Given = ReturnType<typeof tensorsOf>;

/** The output, and the gradients in the order of the inputs. */
export function run(
  c: Case,
  {inputs, call, dout}: Given,
  implementation: Implementation,
): tf.Tensor[] {
  const attend = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias?: tf.Tensor) =>
    localAttention(q, k, v, {...configOf(c), implementation}, {...call, attnBias});
  const {value, grads} = tf.valueAndGrads(attend)(inputs, dout);
  return [value, ...grads];
}
