/**
 * What TF.js does with Keras masks, and what a layer has to make of it. All of it is true of
 * tfjs-layers 4.22:
 *
 *  - Only the mask of a layer's first input reaches `kwargs.mask`, as a tensor or in an array.
 *  - `kwargs` is one object for a whole model, so a mask stays in it for layers of other branches.
 *    A mask that does not fit is therefore somebody else's, unless the caller is a person.
 *  - The executor disposes every mask that computeMask returns.
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/errors';

export type Kwargs = Record<string, unknown> & {mask?: unknown; training?: unknown};

/**
 * The mask [B, n] that TF.js hands to a layer whose first input is `x` [B, ..., n, d], or null.
 *
 * @param inModel whether the layer stands in a model; a mask that does not fit is an error if not
 */
export function kerasMask(
  fn: string,
  x: tf.Tensor,
  kwargs: Kwargs,
  inModel: boolean,
): tf.Tensor | null {
  const given = Array.isArray(kwargs.mask) ? kwargs.mask[0] : kwargs.mask;
  if (given == null) return null;
  const mask = given as tf.Tensor;
  const [batch, n] = [x.shape[0], x.shape[x.rank - 2]];
  const fits =
    !mask.isDisposed && mask.rank === 2 && mask.shape[0] === batch && mask.shape[1] === n;
  if (fits) return mask;
  if (!inModel) fail(fn, `mask must be a living tensor of shape [${batch}, ${n}]`, given);
  return null;
}

/** The layer's output is masked as its first input is. */
export function passOn(mask?: tf.Tensor | tf.Tensor[] | null): tf.Tensor | null {
  const first = Array.isArray(mask) ? mask[0] : mask;
  return first == null ? null : tf.clone(first);
}

/** A key exists if the explicit mask and the Keras mask both say so. */
export function both(
  fn: string,
  explicit: tf.Tensor | null,
  keras: tf.Tensor | null,
): tf.Tensor | null {
  if (explicit === null || keras === null) return explicit ?? keras;
  const sizes = explicit.shape;
  // any other shape is for the op to judge, in its own words
  const comparable = explicit.dtype === 'bool' && sizes.length === 2 && sizes[1] === keras.shape[1];
  if (!comparable) return explicit;
  if (sizes[0] !== 1 && sizes[0] !== keras.shape[0]) {
    fail(fn, `beside a Keras mask, the mask input must have 1 or ${keras.shape[0]} rows`, explicit);
  }
  return tf.logicalAnd(explicit, keras);
}
