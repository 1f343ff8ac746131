import * as tf from '@tensorflow/tfjs';

import type {Plan} from '../../src/attention/plan';
import type {LocalAttentionCall} from '../../src/attention/problem';
import {CheckedLayer} from './checked_layer';
import {Inputs, listOf, readOptional} from './inputs';
import {Kwargs, both, kerasMask, passOn} from './keras_mask';
import type {StepSeeds} from './step_seeds';

/** What the layers that attend have in common: masks from two sides, a bias, and dropout. */
export abstract class AttentionLayer extends CheckedLayer {
  protected abstract readonly seeds: StepSeeds;
  /** What {@link checkCall} has planned for the call that follows. */
  private planned: {inputs: tf.Tensor[]; plan: Plan} | null = null;

  /** Checks a call, Keras masks aside, and chooses who computes it. Allocates nothing. */
  protected abstract planCall(inputs: tf.Tensor[], kwargs: Kwargs): Plan;

  protected override checkCall(inputs: tf.Tensor[], kwargs: Kwargs): void {
    this.planned = {inputs, plan: this.planCall(inputs, kwargs)};
  }

  /** The plan of a call, made at its door, or here where `call` is called by itself. */
  protected planOfCall(inputs: Inputs, kwargs: Kwargs): Plan {
    const list = listOf(inputs);
    const {planned} = this;
    this.planned = null;
    const ready = planned !== null && planned.inputs.every((x, i) => x === list[i]);
    const {problem, fused} = ready ? planned.plan : this.planCall(list, kwargs);
    const {fn} = this.usage;
    const mask = both(fn, problem.mask, kerasMask(fn, this, inputs, kwargs)) as tf.Tensor2D | null;
    const seed = kwargs.training === true ? this.seeds.next() : problem.seed;
    return {problem: {...problem, mask, seed}, fused};
  }

  /** What the op is told besides its tensors; `rest` is what follows the main inputs. */
  protected optionsOf(rest: tf.Tensor[], kwargs: Kwargs): LocalAttentionCall {
    const {fn, inputs: usage} = this.usage;
    const windowSize = kwargs.windowSize as number | undefined;
    return {...readOptional(fn, rest, usage), windowSize, training: kwargs.training === true};
  }

  override computeMask(inputs: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return passOn(inputs, mask) as tf.Tensor; // TF.js's own layers answer null too where there is none
  }
}
