/**
 * Which keys a query sees.
 *
 * W = 4, lookBackward 1, causal      key 0..3 | 4..7 | 8..11
 *   queries of window 1 (4..7)           ####   #...   ....
 *                                        ####   ##..   ....
 *                                        ####   ###.   ....
 *                                        ####   ####   ....
 * exactWindowsize also cuts the lower-left triangle: query 6 then sees keys 2..6.
 *
 * The keys of a window's context are counted in slots: slot 0 is the first token of the first
 * window that it looks back to, and a query of row a stands in slot lookBackward · w + a.
 */
import * as tf from '@tensorflow/tfjs';

import type {Problem} from './problem';
import {Layout, bucket, layoutOf, lookAround} from './windows';

/** What a token scores against itself under sharedQk: the last resort, but still seen. */
export const SELF_SCORE = -5e4;

/** Whether the query in row `row` of a window sees the key in slot `slot`, ends and mask aside. */
export function inBand(p: Problem, row: number, slot: number): boolean {
  const ahead = slot - (p.lookBackward * p.windowSize + row); // of the query is the key, in tokens
  if (p.causal && ahead > 0) return false;
  if (!p.exactWindowsize) return true;
  const {lookBackward, lookForward, windowSize} = p;
  return -ahead <= lookBackward * windowSize && (p.causal || ahead <= lookForward * windowSize);
}

/** {@link inBand} of each row and laid slot as 1 or 0, [w, C]; null where all are seen. */
export function band(p: Problem): tf.Tensor2D | null {
  if (!p.causal && !p.exactWindowsize) return null;
  return table(p, (row, slot) => inBand(p, row, slot));
}

/** Where a query meets itself: 1 or 0, [w, C]. */
export function diagonal(p: Problem): tf.Tensor2D {
  return table(p, (row, slot) => slot === p.lookBackward * p.windowSize + row);
}

function table(p: Problem, holds: (row: number, slot: number) => boolean): tf.Tensor2D {
  const {context, skipped}: Layout = layoutOf(p);
  const values = new Float32Array(p.windowSize * context);
  for (let row = 0; row < p.windowSize; row++) {
    for (let slot = 0; slot < context; slot++) {
      if (holds(row, skipped + slot)) values[row * context + slot] = 1;
    }
  }
  return tf.tensor2d(values, [p.windowSize, context]);
}

/**
 * Whether the key in each slot exists (it is not before the sequence, after it, or masked), as
 * 1 or 0: [b, W, 1, C], or [1, W, 1, C] without a mask.
 */
export function existing(p: Problem): tf.Tensor4D {
  const {windows, padded, context} = layoutOf(p);
  const keep: tf.Tensor2D = p.mask
    ? tf.cast(maskOfHeads(p.mask, p), 'float32')
    : tf.ones([1, p.length]);
  const whole = tf.pad(keep, [[0, 0], [0, padded - p.length]]); // prettier-ignore
  const slots = lookAround(bucket(tf.expandDims(whole, -1) as tf.Tensor3D, p), p);
  return tf.reshape(slots, [keep.shape[0], windows, 1, context]);
}

/** A mask [B, n] for each head, whose batch is the major part of b: [b, n] */
export function maskOfHeads(mask: tf.Tensor2D, p: Problem): tf.Tensor2D {
  const {b} = layoutOf(p);
  const rows = mask.shape[0];
  if (rows === b) return mask;
  const heads = tf.tile(tf.reshape(mask, [rows, 1, p.length]), [1, b / rows, 1]);
  return tf.reshape(heads, [b, p.length]);
}
