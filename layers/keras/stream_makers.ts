import * as tf from '@tensorflow/tfjs';

import type {WeightMakers} from './weight_options';

type Initializer = WeightMakers['initializer'];

/** Of the dynamic parts of the mixtures. */
const DYNAMIC_SCALE = 0.01;

/**
 * How a parameter of a hyper-connection begins, so that all streams together are a plain residual: the
 * branch reads the stream `first`, and is added to each stream once.
 */
export function streamMakers(name: string, first: number): WeightMakers {
  if (name === 'static_alpha') return {initializer: new OneStream(first) as unknown as Initializer};
  if (name === 'static_beta') return {initializer: tf.initializers.ones()};
  if (name.endsWith('_scale'))
    return {initializer: tf.initializers.constant({value: DYNAMIC_SCALE})};
  return {initializer: tf.initializers.zeros()};
}

/** [S, S + 1]: a column that is one at stream `first`, and the identity. */
class OneStream {
  constructor(private readonly first: number) {}

  apply([streams, columns]: number[]): tf.Tensor {
    return tf.tidy(() => {
      const values = tf.buffer([streams, columns]);
      values.set(1, this.first, 0);
      for (let stream = 0; stream < streams; stream++) values.set(1, stream, stream + 1);
      return values.toTensor();
    });
  }
}
