import * as tf from '@tensorflow/tfjs';

import {
  PositionBiasArgs,
  PositionBiasConfig,
  PositionBiasWeights,
  positionBias,
  positionBiasShapes,
  resolvePositionBias,
} from '../src/nn/position_bias';
import {checkOne} from './keras/inputs';
import type {LayerArgs} from './keras/layer_args';
import type {StepSeeds} from './keras/step_seeds';
import {readArgs} from './keras/weighted_args';
import type {WeightArgs, WeightOptions} from './keras/weight_options';
import {WeightedLayer} from './keras/weighted_layer';

export interface DynamicPositionBiasArgs extends PositionBiasArgs, WeightArgs, LayerArgs {
  /** Where the seeds of initial weights begin. Default: random. */
  seed?: number | null;
}

const FN = 'DynamicPositionBias';
const USAGE = 'one tensor, of which nothing is used';

/**
 * A learned bias of the attention's scores by distance, the same for every sequence: the second input
 * of LocalMHA or LocalTransformerBlock, and after q, k, v of LocalAttention. Any input, since TF.js
 * knows no layer without one; output [heads, w, C] with C = (1 + lookBackward + lookForward) · w.
 *
 * Weights: `mlp/0/kernel` [1, dim], `mlp/2/kernel` [dim, dim], `mlp/4/kernel` [dim, heads], each with
 * its `bias`. docs/math.md has the equation.
 */
export class DynamicPositionBias extends WeightedLayer {
  /** @nocollapse */
  static className = FN;
  /** @internal */
  readonly config: PositionBiasConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;
  private readonly seeds: StepSeeds;

  constructor(args: DynamicPositionBiasArgs) {
    const {base, config, weightOptions, seeds} = readArgs(FN, args, 'dim', resolvePositionBias);
    super(base);
    this.supportsMasking = false; // the output has no tokens
    this.config = config;
    this.weightOptions = weightOptions;
    this.seeds = seeds;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    for (const [name, shape] of Object.entries(positionBiasShapes(this.config))) {
      this.add(name, shape, this.weightOptions.named(name, this.seeds.ofWeight()));
    }
    super.build(inputShape);
  }

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(FN, USAGE, inputs);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(FN, USAGE, inputs);
  }

  override call(): tf.Tensor {
    return positionBias(this.weightTensors() as unknown as PositionBiasWeights, this.config);
  }

  override computeMask(): tf.Tensor {
    return null as unknown as tf.Tensor; // what TF.js's own layers answer where there is none
  }

  override computeOutputShape(): tf.Shape {
    const {heads, windowSize, lookBackward, lookForward} = this.config;
    return [heads, windowSize, (1 + lookBackward + lookForward) * windowSize];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const weights = this.weightOptions.getConfig();
    return {...super.getConfig(), ...this.config, ...weights, seed: this.seeds.first};
  }
}

tf.serialization.registerClass(DynamicPositionBias);
