/** Exp, Erf, Sqrt and Rsqrt on wasm, four numbers at a time. */
import * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {enter} from '../wasm';
import type {Replacement} from './replacement';

/** By their numbers in assembly/maps.ts. */
const FUNCTIONS = ['Exp', 'Erf', 'Sqrt', 'Rsqrt'];

export const MAPS: readonly Replacement[] = FUNCTIONS.map((kernel, f) => ({
  kernel,
  backend: 'wasm',
  reason: 'it computes a number at a time; four are computed at once',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    if (x?.dtype !== 'float32') return theirs(call);
    const count = tf.util.sizeFromShape(x.shape);
    const mapped = direct(enter, call.backend, [x], x.shape, (program, [at], out) =>
      program.map(f, at, count, out),
    );
    return mapped ?? theirs(call);
  },
}));
