/**
 * The gradient of FusedBatchNorm where all numbers have their own mean, variance and scale, as in a
 * layer normalization. With r = 1 / √(variance + ε) and z = (x − mean) r:
 *
 *     dx = dy · scale · r    dmean = −dx    dvariance = −dx · z r / 2    dscale = dy · z    doffset = dy
 *
 * TF.js takes each from the beginning, and the third power of r apart.
 */
import * as tf from '@tensorflow/tfjs';

import type {GradientReplacement} from './replacement';

export const BATCH_NORM_GRADIENT: GradientReplacement = {
  gradient: 'FusedBatchNorm',
  reason: 'it computes each part from the beginning; they share most of their terms',
  make: (theirs) => ({
    ...theirs,
    gradFunc(upstream, saved, attrs) {
      const [x, mean, variance, scale] = saved;
      const dy = upstream as tf.Tensor;
      const own = [mean, variance, scale].every((one) => one.size === x.size); // TF.js needs a scale
      if (!own || mean.rank === 1) return theirs.gradFunc(dy, saved, attrs);
      const r = tf.rsqrt(tf.add(variance, attrs.varianceEpsilon as number));
      const z = tf.mul(tf.sub(x, mean), r);
      const dx = tf.mul(tf.mul(dy, scale), r);
      const like = (values: tf.Tensor) => tf.reshape(values, mean.shape);
      return {
        x: () => tf.reshape(dx, x.shape),
        mean: () => like(tf.neg(dx)),
        variance: () => like(tf.mul(tf.mul(dx, -0.5), tf.mul(z, r))),
        scale: () => like(tf.mul(dy, z)),
        offset: () => like(dy),
      };
    },
  }),
};
