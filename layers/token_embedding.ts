import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {count, flag, required} from '../src/check/option_kinds';
import {Chosen, Given, readOptions} from '../src/check/options';
import {TokenEmbeddingWeights, checkIds, embedTokens} from '../src/nn/token_embedding';
import {noteCalls} from './keras/calls';
import {Inputs, checkOne, listOf} from './keras/inputs';
import {LayerArgs, shapeList, splitArgs} from './keras/layer_args';
import {EmbeddingOptions, EmbeddingWeightArgs} from './keras/embedding_options';
import {outerMask} from './keras/keras_mask';
import {StepSeeds} from './keras/step_seeds';
import {WeightedLayer} from './keras/weighted_layer';

const OPTIONS = {
  /** Number of different tokens, V. */
  numTokens: required(count(1)),
  /** Size of a token's vector, D. */
  dim: required(count(1)),
  /** Tokens that have a learned position, N: the longest sequence. Default: none, and any length. */
  maxSeqLen: count(1),
  /** Token 0 is padding, hidden from the attention of the layers that follow. */
  maskZero: flag(false),
};

export interface TokenEmbeddingArgs extends Given<typeof OPTIONS>, EmbeddingWeightArgs, LayerArgs {
  /** Where the seeds of initial weights begin. Default: random. */
  seed?: number | null;
}

const FN = 'TokenEmbedding';
const USAGE = 'one tensor of token ids [B, n]';

/**
 * Learned vectors of tokens, and with `maxSeqLen` of absolute positions, added up:
 *
 *     x[b, i] = tokens[ids[b, i]] + positions[i]
 *
 * ids [B, n] of whole numbers in [0, numTokens), int32 or float32, to [B, n, dim]. With `maskZero`
 * where token 0 stands is masked, as in tf.layers.embedding.
 *
 * Weights: `tokens` [numTokens, dim]; `positions` [maxSeqLen, dim] with `maxSeqLen`.
 */
export class TokenEmbedding extends WeightedLayer {
  /** @nocollapse */
  static className = FN;
  /** @internal */
  readonly config: Chosen<typeof OPTIONS>;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: EmbeddingOptions;
  private readonly seeds: StepSeeds;

  constructor(args: TokenEmbeddingArgs) {
    const {own, base} = splitArgs(FN, args, 'numTokens');
    const {seed, embeddingsInitializer, embeddingsRegularizer, ...options} = own;
    const config = readOptions(FN, OPTIONS, options);
    const weightOptions = new EmbeddingOptions(FN, {embeddingsInitializer, embeddingsRegularizer});
    const seeds = new StepSeeds(FN, seed ?? null);
    super(base);
    noteCalls(); // for the mask of the call around
    this.supportsMasking = config.maskZero;
    this.config = config;
    this.weightOptions = weightOptions;
    this.seeds = seeds;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const {numTokens, dim, maxSeqLen} = this.config;
    this.add('tokens', [numTokens, dim], this.weightOptions.makers(this.seeds.ofWeight()));
    if (maxSeqLen !== null) {
      this.add('positions', [maxSeqLen, dim], this.weightOptions.makers(this.seeds.ofWeight()));
    }
    super.build(inputShape);
  }

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkIds(FN, inputs[0], this.config.maxSeqLen);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(FN, USAGE, inputs);
    this.computeOutputShape(inputs[0].shape);
  }

  override call(inputs: Inputs): tf.Tensor {
    const [ids] = listOf(inputs);
    return embedTokens(ids, this.weightTensors() as unknown as TokenEmbeddingWeights);
  }

  override computeMask(inputs: Inputs): tf.Tensor {
    if (!this.config.maskZero) return null as unknown as tf.Tensor;
    const [ids] = listOf(inputs);
    return tf.tidy(() => {
      const there = tf.notEqual(ids, tf.scalar(0, ids.dtype));
      const outer = outerMask(FN, ids.shape);
      return outer === null ? there : tf.logicalAnd(there, outer);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    if (shape.length !== 2) fail(FN, 'ids must have the shape [B, n]', shape);
    const {maxSeqLen, dim} = this.config;
    if (maxSeqLen !== null && shape[1] !== null && shape[1] > maxSeqLen) {
      fail(FN, `ids must have at most maxSeqLen ${maxSeqLen} tokens`, shape);
    }
    return [...shape, dim];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const weights = this.weightOptions.getConfig();
    return {...super.getConfig(), ...this.config, ...weights, seed: this.seeds.first};
  }
}

tf.serialization.registerClass(TokenEmbedding);
