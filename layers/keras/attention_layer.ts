import * as tf from '@tensorflow/tfjs';

import type {LocalAttentionCall} from '../../src/attention/problem';
import {CheckedLayer} from './checked_layer';
import {Inputs, readOptional} from './inputs';
import {Kwargs, both, kerasMask, passOn} from './keras_mask';
import type {StepSeeds} from './step_seeds';

/** What the layers that attend have in common: masks from two sides, a bias, and dropout. */
export abstract class AttentionLayer extends CheckedLayer {
  protected abstract readonly seeds: StepSeeds;

  override computeMask(inputs: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return passOn(inputs, mask) as tf.Tensor; // TF.js's own layers answer null too where there is none
  }

  /** What the op is told besides its tensors; `rest` is what follows the main inputs. */
  protected callOptions(inputs: Inputs, rest: tf.Tensor[], kwargs: Kwargs): LocalAttentionCall {
    const {fn, inputs: usage} = this.usage;
    const {mask, attnBias} = readOptional(fn, rest, usage);
    const training = kwargs.training === true;
    return {
      mask: both(fn, mask, kerasMask(fn, this, inputs, kwargs)),
      attnBias,
      windowSize: this.windowOf(kwargs),
      training,
      seed: training ? this.seeds.next() : null,
    };
  }
}
