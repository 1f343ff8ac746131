/**
 * Sum on wasm and cpu. TF.js adds up the last axes alone, one number after the other, and transposes x
 * first where others are asked for, as the gradient of every bias does.
 */
import * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {asOneAxis} from './one_axis';
import {MEMORIES} from './memories';
import type {Replacement} from './replacement';

export const SUM: readonly Replacement[] = MEMORIES.map(({backend, enter}) => ({
  kernel: 'Sum',
  backend,
  reason: 'it transposes before it adds up any but the last axes, and adds one number at a time',
  make: (theirs) => (call) => {
    const {x} = call.inputs;
    const {axis, keepDims} = call.attrs as unknown as {axis: number | number[]; keepDims?: boolean};
    if (x?.dtype !== 'float32') return theirs(call);
    const sizes = asOneAxis(x.shape, axis);
    if (!sizes) return theirs(call);
    const axes = tf.util.parseAxisParam(axis, x.shape);
    const shape = x.shape.flatMap((size, at) => {
      if (!axes.includes(at)) return [size];
      return keepDims ? [1] : [];
    });
    const sum = direct(enter, call.backend, [x], shape, (program, [at], out) =>
      program.sums(at, ...sizes, out),
    );
    return sum ?? theirs(call);
  },
}));
