/**
 * What TF.js does with Keras masks, and what a layer has to make of it. All of it is true of
 * tfjs-layers 4.22:
 *
 *  - Only the mask of a layer's first input reaches `kwargs.mask`, as a tensor or in an array.
 *  - `kwargs` is one object for a whole model, so a mask stays in it for layers of other branches.
 *    That is also the only way for a mask to get into a model inside a model.
 *  - A sum of masked inputs, as of a residual connection, has a mask of shape [1, B, n].
 *  - The executor disposes every mask that computeMask returns.
 */
import * as tf from '@tensorflow/tfjs';

import {fail} from '../../src/check/errors';
import {checkTensor} from '../../src/check/tensors';
import {Kwargs, callsAround, maskIn} from './calls';
import {Inputs, listOf} from './inputs';
import {isOfInput, ownerOf} from './mask_flow';

/**
 * The mask that TF.js, or the caller of `apply`, hands to the layer for a sequence [B, ..., n, d], as
 * rows of n, or null.
 */
export function kerasMask(
  fn: string,
  layer: tf.layers.Layer,
  sequence: number[],
  kwargs: Kwargs,
): tf.Tensor | null {
  const given = maskIn(kwargs);
  if (given == null) return null;
  const owner = ownerOf(given);
  if (owner === 'another') return null;
  const mask = rows(sequence, given as tf.Tensor);
  const ofInput = isOfInput(given, sequence);
  if (mask === null && (owner === 'given' || ofInput)) {
    const wanted = `[${sequence[0]}, ${sequence[sequence.length - 2]}]`;
    const held = !ofInput && callsAround().some((call) => call.layer !== layer);
    const remedy = held ? ' (the layer around must hand on a mask of these tokens, or none)' : '';
    fail(fn, `mask must be a living tensor of shape ${wanted}${remedy}`, given);
  }
  if (mask !== null) checkTensor(fn, 'mask', mask, 'bool');
  return mask; // what does not fit is left from a layer before
}

/**
 * The mask that a layer which makes one finds already given for tokens [B, n], by the caller of the
 * model around: TF.js would put the layer's own in its place.
 */
export function outerMask(fn: string, tokens: number[]): tf.Tensor | null {
  const calls = callsAround();
  const mask = calls[calls.length - 1]?.mask;
  const owner = ownerOf(mask);
  if (mask == null || owner === 'another') return null;
  const fits =
    mask instanceof tf.Tensor && !mask.isDisposed && tf.util.arraysEqual(mask.shape, tokens);
  if (!fits && owner === 'own') return null; // left from a layer before
  if (!fits) fail(fn, `mask must be a living tensor of shape [${tokens.join(', ')}]`, mask);
  checkTensor(fn, 'mask', mask, 'bool');
  return mask;
}

/** The layer's output is masked as its first input is. */
export function passOn(inputs: Inputs, mask?: tf.Tensor | tf.Tensor[] | null): tf.Tensor | null {
  const first = Array.isArray(mask) ? mask[0] : mask;
  if (first == null) return null;
  const [x] = listOf(inputs);
  return (first.rank < x.rank ? null : rows(x.shape, first)) ?? tf.clone(first);
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

/**
 * A mask that fits a sequence [B, ..., n, d] as a new tensor of rows of n, or null. Fits: [B, n], which the
 * heads of a sequence share, the same under axes of 1, or a mask of every axis but d.
 */
function rows(sequence: number[], mask: tf.Tensor): tf.Tensor | null {
  if (!(mask instanceof tf.Tensor) || mask.isDisposed) return null;
  const tokens = sequence.slice(0, -1);
  const n = tokens[tokens.length - 1];
  const shared = tf.util.arraysEqual(mask.shape.slice(-2), [tokens[0], n]);
  const fits =
    (shared && mask.shape.slice(0, -2).every((size) => size === 1)) ||
    tf.util.arraysEqual(mask.shape, tokens);
  return fits ? tf.reshape(mask, [tf.util.sizeFromShape(mask.shape.slice(0, -1)), n]) : null;
}
