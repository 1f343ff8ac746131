import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {
  FeedForwardArgs,
  FeedForwardConfig,
  FeedForwardWeights,
  checkTokens,
  feedForward,
  feedForwardShapes,
  resolveFeedForward,
} from '../src/nn/feed_forward';
import type {Kwargs} from './keras/calls';
import {Inputs, checkOne, checkSymbolicType, listOf} from './keras/inputs';
import {LayerArgs, shapeList} from './keras/layer_args';
import type {StepSeeds} from './keras/step_seeds';
import {readArgs} from './keras/weighted_args';
import type {WeightArgs, WeightOptions} from './keras/weight_options';
import {WeightedLayer} from './keras/weighted_layer';

export interface FeedForwardLayerArgs extends FeedForwardArgs, WeightArgs, LayerArgs {
  /** Where the seeds of initial weights and of dropout begin. Default: random. */
  seed?: number | null;
}

const FN = 'FeedForward';
const USAGE = 'one tensor [..., dim]';

/**
 * The feed-forward network of the local transformer: LayerNorm, a projection to twice the hidden size
 * F = ⌊dim · mult · 2 / 3⌋, GEGLU, dropout and a projection back, without biases. x [..., dim] to the
 * same shape; the residual is not added. Keras masks are passed on.
 *
 * Weights: `norm/gamma` and `norm/beta` [dim], `to_hidden/kernel` [dim, 2F], `to_out/kernel` [F, dim].
 */
export class FeedForward extends WeightedLayer {
  /** @nocollapse */
  static className = FN;
  /** @internal */
  readonly config: FeedForwardConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;
  private readonly seeds: StepSeeds;

  constructor(args: FeedForwardLayerArgs) {
    const {base, config, weightOptions, seeds} = readArgs(FN, args, 'dim', resolveFeedForward);
    super(base);
    this.config = config;
    this.weightOptions = weightOptions;
    this.seeds = seeds;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.checkShape(shapeList(FN, inputShape)[0]);
    for (const [name, shape] of Object.entries(feedForwardShapes(this.config))) {
      this.add(name, shape, this.weightOptions.named(name, this.seeds.ofWeight()));
    }
    super.build(inputShape);
  }

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkTokens(FN, inputs[0], this.config.dim);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkSymbolicType(FN, 'x', inputs[0]);
    this.checkShape(inputs[0].shape);
  }

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    const [x] = listOf(inputs);
    const weights = this.weightTensors() as unknown as FeedForwardWeights;
    const training = kwargs.training === true;
    const seed = training ? this.seeds.next() : 0;
    return feedForward(x, weights, this.config, {training, seed});
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    this.checkShape(shape);
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const {dim, mult, dropout} = this.config;
    const weights = this.weightOptions.getConfig();
    return {...super.getConfig(), dim, mult, dropout, ...weights, seed: this.seeds.first};
  }

  private checkShape(shape: tf.Shape): void {
    const {dim} = this.config;
    const last = shape[shape.length - 1];
    if (shape.length >= 2 && (last === null || last === dim)) return;
    fail(FN, `x must have the shape [..., dim] with dim ${dim}`, shape);
  }
}

tf.serialization.registerClass(FeedForward);
