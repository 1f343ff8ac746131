import * as tf from '@tensorflow/tfjs';

import {count, required} from '../check/option_kinds';
import {Chosen, Given, readOptions} from '../check/options';
import {contextOf} from '../attention/config';

export const POSITION_BIAS = {
  /** Size of the two hidden layers, H. */
  dim: required(count(1)),
  /** Number of heads, h. */
  heads: required(count(1)),
  /** Tokens in a window, w. */
  windowSize: required(count(1)),
  /** **Windows** that a query sees before its own. */
  lookBackward: count(0, 1),
  /** **Windows** that a query sees after its own. */
  lookForward: count(0, 0),
};

export type PositionBiasArgs = Given<typeof POSITION_BIAS>;
export type PositionBiasConfig = Chosen<typeof POSITION_BIAS>;

export function resolvePositionBias(fn: string, args: PositionBiasArgs): PositionBiasConfig {
  const config = readOptions(fn, POSITION_BIAS, args);
  contextOf(fn, config, config.windowSize);
  return Object.freeze(config);
}

/** The parameters by the names that they are saved under; kernels are [in, out]. */
export interface PositionBiasWeights {
  /** [1, H] and [H] */
  'mlp/0/kernel': tf.Tensor;
  'mlp/0/bias': tf.Tensor;
  /** [H, H] and [H] */
  'mlp/2/kernel': tf.Tensor;
  'mlp/2/bias': tf.Tensor;
  /** [H, h] and [h] */
  'mlp/4/kernel': tf.Tensor;
  'mlp/4/bias': tf.Tensor;
}

/** The shapes of the parameters, in the order in which they are saved. */
export function positionBiasShapes({dim, heads}: PositionBiasConfig): Record<string, number[]> {
  return {
    'mlp/0/kernel': [1, dim],
    'mlp/0/bias': [dim],
    'mlp/2/kernel': [dim, dim],
    'mlp/2/bias': [dim],
    'mlp/4/kernel': [dim, heads],
    'mlp/4/bias': [heads],
  };
}

/**
 * A bias of the scores by distance, for {@link localAttention}'s `attnBias`: a small network with
 * SiLU asked for the distance of query row a and context slot t,
 *
 *     bias[h, a, t] = mlp(|lookBackward · w + a − t|)[h]
 *
 * As in the original, `mlp/4/bias` adds one number to all scores of a head: it changes nothing.
 *
 * @returns [heads, w, C]
 */
export function positionBias(
  weights: PositionBiasWeights,
  config: PositionBiasConfig,
): tf.Tensor3D {
  const {heads, windowSize, lookBackward, lookForward} = config;
  const context = (1 + lookBackward + lookForward) * windowSize;
  return tf.tidy(() => {
    const distances = tf.expandDims(tf.range(0, context, 1, 'float32'), 1);
    const layer = (x: tf.Tensor, at: 0 | 2 | 4) =>
      tf.add(tf.matMul(x, weights[`mlp/${at}/kernel`]), weights[`mlp/${at}/bias`]);
    const byDistance = layer(silu(layer(silu(layer(distances, 0)), 2)), 4); // [C, h]

    const table = new Int32Array(windowSize * context);
    for (let row = 0; row < windowSize; row++) {
      for (let slot = 0; slot < context; slot++) {
        table[row * context + slot] = Math.abs(lookBackward * windowSize + row - slot);
      }
    }
    const bias = tf.transpose(tf.gather(byDistance, tf.tensor1d(table, 'int32')));
    return tf.reshape(bias, [heads, windowSize, context]) as tf.Tensor3D;
  });
}

function silu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.sigmoid(x));
}
