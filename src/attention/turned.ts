import * as tf from '@tensorflow/tfjs';

import {passingAngles} from '../rotary/angles';
import {apply} from '../rotary/apply';
import type {Problem} from './problem';

/**
 * x [B, h, m, d] rotated by the positions from `position` on, however far, or back by them; as it is
 * without rotary embedding.
 */
export function turned(
  x: tf.Tensor4D,
  position: number,
  direction: 1 | -1,
  p: Problem,
): tf.Tensor4D {
  if (!p.rotary) return x;
  const length = x.shape[2];
  const {cos, sin} = passingAngles(position, length, p.headDim);
  const shape: [number, number] = [length, p.headDim / 2];
  const table = {cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape)};
  return apply(x, direction === 1 ? table : {...table, sin: tf.neg(table.sin)}) as tf.Tensor4D;
}
