import * as tf from '@tensorflow/tfjs';

import type {DynamicPositionBias} from '../layers/dynamic_position_bias';
import {type PositionBiasWeights, positionBias} from '../src/nn/position_bias';

/** A model's position bias, [h, w, C], made anew only when a weight of its has been assigned. */
export class KeptBias {
  private bias: tf.Tensor | null = null;
  /** What held the weights that it is made of; an assignment brings another. */
  private madeOf: readonly object[] = [];

  constructor(private readonly layer: DynamicPositionBias) {}

  /** The bias by the weights of now. It stays this object's. */
  read(): tf.Tensor {
    const weights = this.layer.weightTensors();
    const held = Object.values(weights).map(({dataId}) => dataId);
    if (this.bias === null || held.some((id, at) => id !== this.madeOf[at])) {
      const bias = positionBias(weights as unknown as PositionBiasWeights, this.layer.config);
      this.dispose();
      this.bias = tf.keep(bias);
      this.madeOf = held;
    }
    return this.bias;
  }

  dispose(): void {
    this.bias?.dispose();
    this.bias = null;
  }
}
