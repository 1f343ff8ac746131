import {createHash} from 'node:crypto';

import type * as tf from '@tensorflow/tfjs';

/** A short text that is the same for the same bits. */
export function digest(x: tf.Tensor): string {
  return createHash('sha256').update(x.dataSync()).digest('hex');
}
