import * as tf from '@tensorflow/tfjs';

import {fail, failType} from '../src/check/errors';
import {count, required, anything} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {
  HyperConnectionWeights,
  hyperConnect,
  hyperConnectionShapes,
} from '../src/nn/hyper_connections';
import {checkBlockShape} from '../src/nn/local_transformer_block';
import type {Kwargs} from './keras/calls';
import {Inputs, checkOne, checkSymbolicType, listOf} from './keras/inputs';
import {LayerArgs, shapeList, splitArgs} from './keras/layer_args';
import {StepSeeds} from './keras/step_seeds';
import {streamMakers} from './keras/stream_makers';
import {WeightedLayer} from './keras/weighted_layer';

const OPTIONS = {
  /** The branch: a layer of [B, n, dim] to the same shape. */
  layer: required(anything<tf.layers.Layer>()),
  /** Size of a token, D. */
  dim: required(count(1)),
  /** Residual streams of the model, S; 1 is a plain residual x + layer(x). */
  streams: count(1, 1),
  /** The stream, of 0 … S − 1, that a fresh branch reads; modulo S. Default: by the seed. */
  firstStream: count(0),
};

export interface HyperConnectionArgs extends Given<typeof OPTIONS>, LayerArgs {
  /** Where the seeds of initial weights begin. Default: random. */
  seed?: number | null;
}

const FN = 'HyperConnection';
const USAGE = 'one tensor [B, n, dim], or [B, n, streams, dim] with streams > 1';

/**
 * A layer of the user's own as a branch of a local transformer, within hyper-connections, or with one
 * stream within a plain residual. x [B, n, dim], with `streams` S > 1 [B, n, S, dim], to the same shape.
 * The layer within is called with [B, n, dim]. Keras masks are handed to it and passed on.
 *
 * Weights: with S > 1 `static_alpha` [S, S + 1], `dynamic_alpha_fn` [dim, S + 1], `dynamic_alpha_scale`
 * [], `static_beta` [S], `dynamic_beta_fn` [dim], `dynamic_beta_scale` [] and `gamma` [dim], which is
 * stored less one; and those of the layer within. The equations: src/nn/hyper_connections.ts.
 */
export class HyperConnection extends WeightedLayer {
  /** @nocollapse */
  static className = FN;
  /** The branch. */
  readonly layer: tf.layers.Layer;
  /** Size of a token. */
  readonly dim: number;
  /** Number of residual streams, S. */
  readonly streams: number;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly seeds: StepSeeds;
  private readonly firstStream: number | null;

  constructor(args: HyperConnectionArgs) {
    const {own, base} = splitArgs(FN, args, 'layer');
    const {seed, ...options} = own;
    const {layer, dim, streams, firstStream} = readOptions(FN, OPTIONS, options);
    if (!(layer instanceof tf.layers.Layer)) failType(FN, 'layer must be a tf.layers.Layer', layer);
    const seeds = new StepSeeds(FN, seed ?? null);
    super(base);
    this.layer = layer;
    this.dim = dim!;
    this.streams = streams;
    this.seeds = seeds;
    this.firstStream = firstStream;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const [batch, n] = this.computeOutputShape(inputShape);
    const tokens = [batch, n, this.dim];
    if (!this.layer.built) this.layer.apply(tf.input({batchShape: tokens}));
    const given = this.layer.computeOutputShape(tokens);
    if (!tf.util.arraysEqual(given as number[], tokens as number[])) {
      fail(FN, `layer must give the shape of its input, ${JSON.stringify(tokens)}`, given);
    }
    if (this.streams > 1) {
      const first = (this.firstStream ?? this.seeds.anyOf(this.streams)) % this.streams;
      for (const [name, shape] of Object.entries(hyperConnectionShapes(this.streams, this.dim))) {
        this.add(name, shape, streamMakers(name, first));
      }
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

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    const weights = this.streams > 1 ? this.weightTensors() : null;
    return tf.tidy(() => {
      const [x] = listOf(inputs);
      return hyperConnect(
        x,
        weights as unknown as HyperConnectionWeights | null,
        (tokens) => this.layer.apply(tokens, kwargs) as tf.Tensor,
      );
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    checkBlockShape(FN, shape, this.dim, this.streams);
    return shape;
  }

  // the weights of the layer within are this layer's too, as those of TF.js's own wrappers are, and so
  // are the losses of its regularizers

  override get trainableWeights(): tf.LayerVariable[] {
    return this.trainable ? [...super.trainableWeights, ...this.layer.trainableWeights] : [];
  }

  override set trainableWeights(weights: tf.LayerVariable[]) {
    super.trainableWeights = weights;
  }

  override get nonTrainableWeights(): tf.LayerVariable[] {
    if (this.trainable) return [...super.nonTrainableWeights, ...this.layer.nonTrainableWeights];
    return [...super.nonTrainableWeights, ...this.layer.weights];
  }

  override set nonTrainableWeights(weights: tf.LayerVariable[]) {
    super.nonTrainableWeights = weights;
  }

  override get losses(): tf.layers.Layer['losses'] {
    return [...super.losses, ...this.layer.losses];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const {dim, streams, firstStream, seeds} = this;
    const layer = {className: this.layer.getClassName(), config: this.layer.getConfig()};
    return {...super.getConfig(), layer, dim, streams, firstStream, seed: seeds.first};
  }

  /** @nocollapse */
  static override fromConfig<T extends tf.serialization.Serializable>(
    cls: tf.serialization.SerializableConstructor<T>,
    config: tf.serialization.ConfigDict,
  ): T {
    const {className, config: inner} = config.layer as {className: string; config: never};
    const [Class, make] = tf.serialization.SerializationMap.getMap().classNameMap[className];
    return new cls({...config, layer: make(Class, inner)} as never);
  }
}

tf.serialization.registerClass(HyperConnection);
