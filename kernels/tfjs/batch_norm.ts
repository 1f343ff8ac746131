/**
 * FusedBatchNorm on wasm where all numbers have a mean, a variance, a scale and an offset of their own,
 * as a layer normalization asks for it.
 */
import * as tf from '@tensorflow/tfjs';

import {direct} from '../program/direct';
import {enter} from '../wasm';
import type {Replacement} from './replacement';

export const BATCH_NORM: Replacement = {
  kernel: 'FusedBatchNorm',
  backend: 'wasm',
  reason: 'it normalizes a number at a time; four are normalized at once',
  make: (theirs) => (call) => {
    const {x, mean, variance, scale, offset} = call.inputs;
    const {varianceEpsilon} = call.attrs as unknown as {varianceEpsilon: number};
    const given = [x, mean, variance, scale, offset];
    const count = tf.util.sizeFromShape(x!.shape);
    const serves = given.every(
      (one) => !one || (one.dtype === 'float32' && tf.util.sizeFromShape(one.shape) === count),
    );
    if (!serves) return theirs(call);
    const result = direct(enter, call.backend, given, x!.shape, (program, at, out) => {
      const [x, mean, variance, scale, offset] = at;
      program.normalize(x, mean, variance, scale, offset, varianceEpsilon, count, out);
    });
    return result ?? theirs(call);
  },
};
