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
 * window that it looks back to, and a query of row a stands in slot back · w + a.
 */
import * as tf from '@tensorflow/tfjs';

import {Problem} from './problem';

/** What a token scores against itself under sharedQk: the last resort, but still seen. */
export const SELF_SCORE = -5e4;

/** Whether the query in row `row` of a window sees the key in slot `slot`, ends and mask aside. */
export function inBand(p: Problem, row: number, slot: number): boolean {
  const ahead = slot - (p.back * p.w + row); // how far the key is after the query, in tokens
  if (p.causal && ahead > 0) return false;
  if (!p.exact) return true;
  return -ahead <= p.back * p.w && (p.causal || ahead <= p.forward * p.w);
}

/** {@link inBand} of each row and slot as 1 or 0, [w, C]; null where all are seen. */
export function band(p: Problem): tf.Tensor2D | null {
  if (!p.causal && !p.exact) return null;
  return table(p, (row, slot) => inBand(p, row, slot));
}

/** Where a query meets itself: 1 or 0, [w, C]. */
export function diagonal(p: Problem): tf.Tensor2D {
  return table(p, (row, slot) => slot === p.back * p.w + row);
}

function table(p: Problem, holds: (row: number, slot: number) => boolean): tf.Tensor2D {
  const values = new Float32Array(p.w * p.context);
  for (let row = 0; row < p.w; row++) {
    for (let slot = 0; slot < p.context; slot++) {
      if (holds(row, slot)) values[row * p.context + slot] = 1;
    }
  }
  return tf.tensor2d(values, [p.w, p.context]);
}

/**
 * Whether the key in each slot exists (it is not before the sequence, after it, or masked), as
 * 1 or 0: [b, windows, 1, C], or [1, windows, 1, C] without a mask.
 */
export function existing(p: Problem): tf.Tensor4D {
  const keep: tf.Tensor2D = p.mask ? tf.cast(maskOfHeads(p.mask, p), 'float32') : tf.ones([1, p.n]);
  const whole = tf.pad(keep, [[0, 0], [0, p.padded - p.n]]); // prettier-ignore
  const slots = lookAround(bucket(tf.expandDims(whole, -1) as tf.Tensor3D, p), p);
  return tf.reshape(slots, [keep.shape[0], p.windows, 1, p.context]);
}

/** A mask [B, n] for each head, whose batch is the major part of b: [b, n] */
export function maskOfHeads(mask: tf.Tensor2D, p: Problem): tf.Tensor2D {
  const batch = mask.shape[0];
  if (batch === p.b) return mask;
  const heads = tf.tile(tf.reshape(mask, [batch, 1, p.n]), [1, p.b / batch, 1]);
  return tf.reshape(heads, [p.b, p.n]);
}

/** [b, windows · w, c] -> [b, windows, w, c] */
export function bucket(x: tf.Tensor3D, p: Problem): tf.Tensor4D {
  return tf.reshape(x, [x.shape[0], p.windows, p.w, x.shape[2]]);
}

/** [b, windows, w, c] -> [b, windows · w, c] */
export function unbucket(x: tf.Tensor4D): tf.Tensor3D {
  const [b, windows, w, c] = x.shape;
  return tf.reshape(x, [b, windows * w, c]);
}

/** The context of each window, zeros beyond the ends: [b, windows, w, c] -> [b, windows, C, c] */
export function lookAround(x: tf.Tensor4D, p: Problem): tf.Tensor4D {
  const neighbours = p.back + p.forward;
  if (neighbours === 0) return x;
  const around = tf.pad(x, [[0, 0], [p.back, p.forward], [0, 0], [0, 0]]); // prettier-ignore
  const shifted = Array.from({length: neighbours + 1}, (_, shift) =>
    tf.slice(around, [0, shift, 0, 0], x.shape),
  );
  return tf.concat(shifted, 2);
}

/**
 * The transpose of {@link lookAround}: what the contexts hold of each token is added up.
 * [b, windows, C, c] -> [b, windows, w, c]
 */
export function foldBack(x: tf.Tensor4D, p: Problem): tf.Tensor4D {
  const neighbours = p.back + p.forward;
  if (neighbours === 0) return x;
  const [b, windows, , c] = x.shape;
  const shifted = Array.from({length: neighbours + 1}, (_, shift) =>
    tf.pad(tf.slice(x, [0, 0, shift * p.w, 0], [b, windows, p.w, c]), [
      [0, 0],
      [shift, neighbours - shift],
      [0, 0],
      [0, 0],
    ]),
  );
  return tf.slice(tf.addN(shifted), [0, p.back, 0, 0], [b, windows, p.w, c]);
}
