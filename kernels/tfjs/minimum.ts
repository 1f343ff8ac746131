/** Minimum on wasm, a row at a time: composed attention hides keys by it, and the table of them is broadcast. */
import type * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {enter} from '../wasm';
import {broadcastRows} from './broadcast_rows';
import type {Replacement} from './replacement';

/** Numbers of a row below which calling for each row takes longer than TF.js does. */
const SHORTEST = 8;

export const MINIMUM: Replacement = {
  kernel: 'Minimum',
  backend: 'wasm',
  reason:
    'it finds the place of each number anew where an input is broadcast; four are computed at once',
  make: (theirs) => (call) => {
    const {a, b} = call.inputs as unknown as Record<'a' | 'b', tf.TensorInfo>;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return theirs(call);
    const rows = broadcastRows(a.shape, b.shape);
    if (rows.length < SHORTEST) return theirs(call);
    const least = direct(enter, call.backend, [a, b], rows.shape, (program, [x, y], out) =>
      rows.forEach((p, sa, q, sb, at, n) =>
        program.minimum(x + 4 * p, 4 * sa, y + 4 * q, 4 * sb, n, out + 4 * at),
      ),
    );
    return least ?? theirs(call);
  },
};
