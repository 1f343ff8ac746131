import * as tf from '@tensorflow/tfjs';

import type {Plan} from '../src/attention/plan';
import {count} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {FEED_FORWARD, feedForwardShapes, resolveFeedForward} from '../src/nn/feed_forward';
import {hyperConnectionShapes} from '../src/nn/hyper_connections';
import {
  LOCAL_MHA,
  LocalMHAArgs,
  localMHAShapes,
  planMHA,
  resolveMHAConfig,
} from '../src/nn/local_mha';
import {
  BlockConfig,
  BlockWeights,
  checkBlockInput,
  checkBlockShape,
  localTransformerBlock,
} from '../src/nn/local_transformer_block';
import {AttentionLayer, AttentionLayerArgs} from './keras/attention_layer';
import type {Kwargs} from './keras/calls';
import {Inputs, checkSymbolicOptional, checkSymbolicType, listOf} from './keras/inputs';
import {shapeList} from './keras/layer_args';
import {streamMakers} from './keras/stream_makers';
import {readArgs} from './keras/weighted_args';
import type {WeightArgs, WeightOptions} from './keras/weight_options';

const {dim: _dim, prenorm: _prenorm, dropout: _dropout, ...ATTENTION} = LOCAL_MHA;

/** The options of a block: those of its attention under their own names, and of the rest of it. */
export const BLOCK = {
  /** Size of a token. */
  dim: LOCAL_MHA.dim,
  ...ATTENTION,
  /** Rate at which attention weights are dropped in training. */
  attnDropout: LOCAL_MHA.dropout,
  /** The hidden size of the feed-forward is ⌊dim · ffMult · 2 / 3⌋. */
  ffMult: FEED_FORWARD.mult,
  /** Rate at which hidden values of the feed-forward are dropped in training. */
  ffDropout: FEED_FORWARD.dropout,
  /** Residual streams of the model, S; 1 is a plain residual. */
  streams: count(1, 1),
  /** The stream, of 0 … S − 1, that the branches of a fresh block read; modulo S. Default: by the seed. */
  firstStream: count(0),
};

export interface LocalTransformerBlockArgs
  extends Given<typeof BLOCK>, WeightArgs, AttentionLayerArgs {}

const FN = 'LocalTransformerBlock';
const USAGE = 'x, and after it [mask], [bias] or [mask, bias]';

/**
 * A block of the local transformer: LocalMHA with a LayerNorm before it, then the feed-forward network
 * of {@link FeedForward}, each around a residual, or with `streams` S > 1 around hyper-connections.
 *
 * Inputs: x [B, n, dim], with S > 1 [B, n, S, dim], and after it a bool mask [B, n], a float32 bias
 * [heads, w, C], or both in this order. Output: like x. Keras masks are honoured and passed on.
 *
 * Weights: those of LocalMHA under `attention/`, of FeedForward under `feed_forward/`, and with S > 1
 * those of the two connections under `attention/streams/` and `feed_forward/streams/`: `static_alpha`
 * [S, S + 1], `dynamic_alpha_fn` [dim, S + 1], `dynamic_alpha_scale` [], `static_beta` [S],
 * `dynamic_beta_fn` [dim], `dynamic_beta_scale` [] and `gamma` [dim], which is stored less one.
 *
 * The equations: docs/math.md, src/nn/hyper_connections.ts.
 */
export class LocalTransformerBlock extends AttentionLayer {
  /** @nocollapse */
  static className = FN;
  /** @internal */
  readonly config: BlockConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;
  private readonly firstStream: number | null;

  constructor(args: LocalTransformerBlockArgs) {
    const read = readArgs(FN, args, 'dim', resolveBlock);
    const {config, firstStream} = read.config;
    super(read.base, read.seeds);
    this.config = config;
    this.weightOptions = read.weightOptions;
    this.firstStream = firstStream;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.computeOutputShape(inputShape);
    const {attention, feedForward, streams} = this.config;
    this.addBranch('attention', localMHAShapes(attention));
    this.addBranch('feed_forward', feedForwardShapes(feedForward));
    if (streams > 1) {
      this.addStreams('attention');
      this.addStreams('feed_forward');
    }
    super.build(inputShape);
  }

  protected planCall([x, ...rest]: tf.Tensor[], kwargs: Kwargs): Plan {
    checkBlockInput(FN, x, this.config);
    const {attention} = this.config;
    return planMHA(FN, tokensOf(x.shape), attention, this.optionsOf(rest, kwargs));
  }

  protected override sequenceOf(x: tf.Tensor): number[] {
    return tokensOf(x.shape);
  }

  protected checkSymbols([x, ...rest]: tf.SymbolicTensor[]): void {
    checkSymbolicType(FN, 'x', x);
    this.computeOutputShape(x.shape);
    checkSymbolicOptional(FN, rest, USAGE, tokensOf(x.shape), this.config.attention.attention);
  }

  /**
   * The parameters as the two branches take them.
   *
   * @internal
   */
  blockWeights(): BlockWeights {
    const all = Object.entries(this.weightTensors());
    const under = (branch: string): unknown => {
      const found = all.filter(([name]) => name.startsWith(branch));
      return Object.fromEntries(found.map(([name, x]) => [name.slice(branch.length), x]));
    };
    const streams = (branch: string) => (this.config.streams > 1 ? under(branch) : null);
    return {
      attention: under('attention/'),
      attentionStreams: streams('attention/streams/'),
      feedForward: under('feed_forward/'),
      feedForwardStreams: streams('feed_forward/streams/'),
    } as BlockWeights;
  }

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    const weights = this.blockWeights();
    return tf.tidy(() => {
      const [x] = listOf(inputs);
      const plan = this.planOfCall(inputs, kwargs);
      const call = {training: kwargs.training === true, seed: plan.problem.seed};
      return localTransformerBlock(x, weights, this.config, plan, call);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    checkBlockShape(FN, shape, this.config.attention.dim, this.config.streams);
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const {attention, feedForward, streams} = this.config;
    const {attention: inner, prenorm: _, ...mha} = attention;
    const {dim: _dim, scale: _scale, autopad: _autopad, dropout: attnDropout, ...rest} = inner;
    return {
      ...super.getConfig(),
      ...rest,
      ...mha,
      ...{attnDropout, ffMult: feedForward.mult, ffDropout: feedForward.dropout},
      ...{streams, firstStream: this.firstStream},
      ...this.weightOptions.getConfig(),
    };
  }

  private addBranch(branch: string, shapes: Record<string, number[]>): void {
    for (const [name, shape] of Object.entries(shapes)) {
      this.add(`${branch}/${name}`, shape, this.weightOptions.named(name, this.seeds.ofWeight()));
    }
  }

  private addStreams(branch: string): void {
    const {streams, attention} = this.config;
    const first = this.firstStream ?? this.seeds.anyOf(streams);
    for (const [name, shape] of Object.entries(hyperConnectionShapes(streams, attention.dim))) {
      this.add(`${branch}/streams/${name}`, shape, streamMakers(name, first % streams));
    }
  }
}

function resolveBlock(fn: string, options: Given<typeof BLOCK>) {
  const chosen = readOptions(fn, BLOCK, options);
  const {attnDropout, ffMult, ffDropout, streams, firstStream, ...attention} = chosen;
  const mha = {...attention, dropout: attnDropout, prenorm: true};
  const config = Object.freeze({
    attention: resolveMHAConfig(fn, mha as LocalMHAArgs),
    feedForward: resolveFeedForward(fn, {dim: chosen.dim, mult: ffMult, dropout: ffDropout}),
    streams,
  });
  return {config, firstStream};
}

/** [B, n, S, dim] or [B, n, dim] -> [B, n, dim] */
function tokensOf<T>(shape: T[]): T[] {
  return [shape[0], shape[1], shape[shape.length - 1]];
}

tf.serialization.registerClass(LocalTransformerBlock);
