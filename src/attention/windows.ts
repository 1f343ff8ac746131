/**
 * A sequence cut into windows, and each window's context laid beside it, as the composite needs
 * them. b: batch times heads; W: windows; w: tokens in one; c: channels.
 */
import * as tf from '@tensorflow/tfjs';

import type {Problem} from './problem';

export interface Layout {
  b: number;
  /** W, with the padded one, and the tokens in all of them. */
  windows: number;
  padded: number;
  /** Windows laid beside a window, before and after it: no more than the sequence has. */
  back: number;
  forward: number;
  /** C, the slots of the laid context, and those of the whole context that come before them. */
  context: number;
  skipped: number;
}

export function layoutOf(p: Problem): Layout {
  const windows = Math.ceil(p.length / p.windowSize);
  const others = Math.max(0, windows - 1);
  const back = Math.min(p.lookBackward, others);
  const forward = Math.min(p.lookForward, others);
  return {
    b: p.batch * p.heads,
    windows,
    padded: windows * p.windowSize,
    back,
    forward,
    context: (1 + back + forward) * p.windowSize,
    skipped: (p.lookBackward - back) * p.windowSize,
  };
}

/** [b, W · w, c] -> [b, W, w, c] */
export function bucket(x: tf.Tensor3D, p: Problem): tf.Tensor4D {
  return tf.reshape(x, [x.shape[0], layoutOf(p).windows, p.windowSize, x.shape[2]]);
}

/** [b, W, w, c] -> [b, W · w, c] */
export function unbucket(x: tf.Tensor4D): tf.Tensor3D {
  const [b, windows, w, c] = x.shape;
  return tf.reshape(x, [b, windows * w, c]);
}

/** The context of each window, zeros beyond the ends: [b, W, w, c] -> [b, W, C, c] */
export function lookAround(x: tf.Tensor4D, p: Problem): tf.Tensor4D {
  const {back, forward} = layoutOf(p);
  if (back + forward === 0) return x;
  const around = tf.pad(x, [[0, 0], [back, forward], [0, 0], [0, 0]]); // prettier-ignore
  const shifted = Array.from({length: back + forward + 1}, (_, shift) =>
    tf.slice(around, [0, shift, 0, 0], x.shape),
  );
  return tf.concat(shifted, 2);
}

/**
 * The transpose of {@link lookAround}: what the contexts hold of each token is added up.
 * [b, W, C, c] -> [b, W, w, c]
 */
export function foldBack(x: tf.Tensor4D, p: Problem): tf.Tensor4D {
  const {back, forward} = layoutOf(p);
  if (back + forward === 0) return x;
  const [b, windows, , c] = x.shape;
  const size: [number, number, number, number] = [b, windows, p.windowSize, c];
  const shifted = Array.from({length: back + forward + 1}, (_, shift) =>
    tf.pad(tf.slice(x, [0, 0, shift * p.windowSize, 0], size), [
      [0, 0],
      [shift, back + forward - shift],
      [0, 0],
      [0, 0],
    ]),
  );
  return tf.slice(sum(shifted), [0, back, 0, 0], size);
}

/** TF.js's webgpu backend gives a sum of more what its memory happens to hold. */
const MOST_SUMMED = 7;

function sum(terms: tf.Tensor[]): tf.Tensor4D {
  const first = tf.addN(terms.slice(0, MOST_SUMMED));
  const rest = terms.slice(MOST_SUMMED);
  return (rest.length === 0 ? first : sum([first, ...rest])) as tf.Tensor4D;
}
