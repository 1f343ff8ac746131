import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {count, required} from '../src/check/option_kinds';
import {Chosen, Given, readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {TokenLogitsWeights, tokenLogits} from '../src/nn/token_logits';
import {Inputs, checkOne, checkSymbolicType, listOf} from './keras/inputs';
import {LayerArgs, shapeList} from './keras/layer_args';
import type {StepSeeds} from './keras/step_seeds';
import {readArgs} from './keras/weighted_args';
import type {WeightArgs, WeightOptions} from './keras/weight_options';
import {WeightedLayer} from './keras/weighted_layer';

const OPTIONS = {
  /** Size of a token's vector, D. */
  dim: required(count(1)),
  /** Number of different tokens, V. */
  numTokens: required(count(1)),
};

export interface TokenLogitsArgs extends Given<typeof OPTIONS>, WeightArgs, LayerArgs {
  /** Where the seeds of initial weights begin. Default: random. */
  seed?: number | null;
}

const FN = 'TokenLogits';
const USAGE = 'one tensor [B, n, dim]';

/**
 * The end of a language model: LayerNorm and a projection without bias to the logits of the next
 * token, x [B, n, dim] -> [B, n, numTokens].
 *
 * Weights: `norm/gamma` and `norm/beta` [dim], `kernel` [dim, numTokens].
 */
export class TokenLogits extends WeightedLayer {
  /** @nocollapse */
  static className = FN;
  /** @internal */
  readonly config: Chosen<typeof OPTIONS>;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;
  private readonly seeds: StepSeeds;

  constructor(args: TokenLogitsArgs) {
    const {base, config, weightOptions, seeds} = readArgs(FN, args, 'numTokens', (fn, options) =>
      readOptions(fn, OPTIONS, options),
    );
    super(base);
    this.config = config;
    this.weightOptions = weightOptions;
    this.seeds = seeds;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.computeOutputShape(inputShape);
    const {dim, numTokens} = this.config;
    const shapes = {'norm/gamma': [dim], 'norm/beta': [dim], kernel: [dim, numTokens]};
    for (const [name, shape] of Object.entries(shapes)) {
      this.add(name, shape, this.weightOptions.named(name, this.seeds.ofWeight()));
    }
    super.build(inputShape);
  }

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkTensor(FN, 'x', inputs[0], 'float32');
    this.computeOutputShape(inputs[0].shape);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkSymbolicType(FN, 'x', inputs[0]);
    this.computeOutputShape(inputs[0].shape);
  }

  override call(inputs: Inputs): tf.Tensor {
    return tokenLogits(listOf(inputs)[0], this.weightTensors() as unknown as TokenLogitsWeights);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    const {dim, numTokens} = this.config;
    if (shape.length !== 3 || (shape[2] !== null && shape[2] !== dim)) {
      fail(FN, `x must have the shape [B, n, dim] with dim ${dim}`, shape);
    }
    return [shape[0], shape[1], numTokens];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const weights = this.weightOptions.getConfig();
    return {...super.getConfig(), ...this.config, ...weights, seed: this.seeds.first};
  }
}

tf.serialization.registerClass(TokenLogits);
