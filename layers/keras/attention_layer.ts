import * as tf from '@tensorflow/tfjs';

import type {LocalAttentionCall} from '../../src/attention/call';
import type {Plan} from '../../src/attention/plan';
import {Kwargs, noteCalls} from './calls';
import {WeightedLayer} from './weighted_layer';
import {Inputs, listOf, readOptional} from './inputs';
import {both, kerasMask} from './keras_mask';
import type {LayerArgs} from './layer_args';
import {StepSeeds} from './step_seeds';

export interface AttentionLayerArgs extends LayerArgs {
  /** Where the seeds of dropout begin; each training step draws the next. Default: random. */
  seed?: number | null;
}

/** What the layers that attend have in common: masks from two sides, a bias, and dropout. */
export abstract class AttentionLayer extends WeightedLayer {
  /** What {@link checkCall} has planned for the call that follows, unless a subclass makes it another. */
  private planned: {inputs: tf.Tensor[]; kwargs: Kwargs; plan: Plan} | null = null;

  constructor(
    args: LayerArgs,
    protected readonly seeds: StepSeeds,
  ) {
    super(args);
    noteCalls();
  }

  /** Checks a call, Keras masks aside, and chooses who computes it. Allocates nothing. */
  protected abstract planCall(inputs: tf.Tensor[], kwargs: Kwargs): Plan;

  protected override checkCall(inputs: tf.Tensor[], kwargs: Kwargs): void {
    this.planned = {inputs, kwargs: {...kwargs}, plan: this.planCall(inputs, kwargs)};
  }

  override apply(...call: Parameters<WeightedLayer['apply']>): ReturnType<WeightedLayer['apply']> {
    try {
      return super.apply(...call);
    } finally {
      this.planned = null; // where it threw before its call
    }
  }

  /** The shape [B, ..., n, d] of the sequence that a mask of `x` is about. */
  protected sequenceOf(x: tf.Tensor): number[] {
    return x.shape;
  }

  /** The plan of a call, made at its door, or here where `call` is called by itself. */
  protected planOfCall(inputs: Inputs, kwargs: Kwargs): Plan {
    const list = listOf(inputs);
    const {planned} = this;
    this.planned = null;
    const {problem, fused} =
      planned !== null && isFor(planned, list, kwargs) ? planned.plan : this.planCall(list, kwargs);
    const {fn} = this.usage;
    const tokens = this.sequenceOf(list[0]);
    const mask = both(fn, problem.mask, kerasMask(fn, this, tokens, kwargs)) as tf.Tensor2D | null;
    const seed = kwargs.training === true ? this.seeds.next() : problem.seed;
    return {problem: {...problem, mask, seed}, fused};
  }

  /** What the op is told besides its tensors; `rest` is what follows the main inputs. */
  protected optionsOf(rest: tf.Tensor[], kwargs: Kwargs): LocalAttentionCall {
    const {fn, inputs: usage} = this.usage;
    const windowSize = kwargs.windowSize as number | undefined;
    return {...readOptional(fn, rest, usage), windowSize, training: kwargs.training === true};
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), seed: this.seeds.first};
  }
}

/** Whether a call is told all that a plan depends on as it was when it was planned. */
function isFor(
  planned: {inputs: tf.Tensor[]; kwargs: Kwargs},
  inputs: tf.Tensor[],
  kwargs: Kwargs,
): boolean {
  const {training, windowSize} = planned.kwargs;
  return (
    planned.inputs.length === inputs.length &&
    planned.inputs.every((x, i) => x === inputs[i]) &&
    training === kwargs.training &&
    windowSize === kwargs.windowSize
  );
}
