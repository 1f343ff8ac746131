import * as tf from '@tensorflow/tfjs';

import type {LocalAttentionCall} from '../../src/attention/problem';
import {Kwargs, noteCalls} from './calls';
import {CheckedLayer} from './checked_layer';
import {Inputs, readOptional} from './inputs';
import {both, kerasMask} from './keras_mask';
import type {LayerArgs} from './layer_args';
import {StepSeeds} from './step_seeds';

export interface AttentionLayerArgs extends LayerArgs {
  /** Where the seeds of dropout begin; each training step draws the next. Default: random. */
  seed?: number | null;
}

/** What the layers that attend have in common: masks from two sides, a bias, and dropout. */
export abstract class AttentionLayer extends CheckedLayer {
  constructor(
    args: LayerArgs,
    private readonly seeds: StepSeeds,
  ) {
    super(args);
    noteCalls();
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), seed: this.seeds.first};
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
