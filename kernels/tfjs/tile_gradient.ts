/**
 * The gradient of Tile. TF.js slices one repetition after the other out of dy and adds it, which for
 * the scale of a layer normalization is two kernels a row. Here it is a sum along each repeated axis:
 *
 *     dx = Σ over i_0, i_1, ... of dy[i_0, :, i_1, :, ...],   dy seen as [r_0, s_0, r_1, s_1, ...]
 */
import * as tf from '@tensorflow/tfjs';

import type {GradientReplacement} from './replacement';

interface Axis {
  size: number;
  isRepeated: boolean;
}

/** [r_0, s_0, r_1, s_1, ...], with neighbours of one kind as one axis, and none of size 1. */
function axesOf(shape: number[], reps: number[]): Axis[] {
  const axes: Axis[] = [];
  const push = (size: number, isRepeated: boolean) => {
    const last = axes.at(-1);
    if (size === 1) return;
    if (last?.isRepeated === isRepeated) last.size *= size;
    else axes.push({size, isRepeated});
  };
  shape.forEach((size, axis) => {
    push(reps[axis], true);
    push(size, false);
  });
  return axes;
}

/** Three axes at a time, since backends have a largest rank. */
function sumRepetitions(dy: tf.Tensor, shape: number[], reps: number[]): tf.Tensor {
  if (dy.size === 0) return tf.zeros(shape, dy.dtype);
  let inner = 1;
  let sum = dy;
  for (const {size, isRepeated} of axesOf(shape, reps).reverse()) {
    if (isRepeated) sum = tf.sum(tf.reshape(sum, [-1, size, inner]), 1);
    else inner *= size;
  }
  return tf.reshape(sum, shape);
}

export const TILE_GRADIENT: GradientReplacement = {
  gradient: 'Tile',
  reason: 'it slices and adds once for each repetition; a sum along an axis is a few kernels',
  make: (theirs) => ({
    ...theirs,
    gradFunc(dy, [x], attrs) {
      const {reps} = attrs as unknown as {reps: number[]};
      return {x: () => sumRepetitions(dy as tf.Tensor, x.shape, reps)};
    },
  }),
};
