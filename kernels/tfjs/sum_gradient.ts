/**
 * The gradients of Sum and Mean: dy, or its share, for each number that was added. TF.js fills as many
 * ones in JavaScript, hands them to the backend and multiplies; here dy is tiled.
 */
import * as tf from '@tensorflow/tfjs';

import {asOneAxis} from './one_axis';
import type {GradientReplacement} from './replacement';

function replaced(
  gradient: string,
  share: (dy: tf.Tensor, count: number) => tf.Tensor,
): GradientReplacement {
  // prettier-ignore
  return {
    gradient,
    reason: 'it makes as many ones in JavaScript as there are numbers, to multiply them',
    make: (theirs) => ({
      ...theirs,
      gradFunc(dy, saved, attrs) {
        const [x] = saved;
        const sizes = asOneAxis(x.shape, attrs.axis as number | number[]);
        if (!sizes || x.size === 0) return theirs.gradFunc(dy, saved, attrs);
        const [outer, count, inner] = sizes;
        const each = () => tf.reshape(share(dy as tf.Tensor, count), [outer, 1, inner]);
        return {x: () => tf.reshape(tf.tile(each(), [1, count, 1]), x.shape)};
      },
    }),
  };
}

export const SUM_GRADIENT = replaced('Sum', (dy) => dy);
export const MEAN_GRADIENT = replaced('Mean', (dy, count) => tf.div(dy, count));
