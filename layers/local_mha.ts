import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {
  LocalMHAArgs,
  LocalMHAConfig,
  LocalMHAWeights,
  checkMHAInput,
  localMHA,
  localMHAShapes,
  planMHA,
  resolveMHAConfig,
} from '../src/nn/local_mha';
import type {Plan} from '../src/attention/plan';
import {AttentionLayer, AttentionLayerArgs} from './keras/attention_layer';
import type {Kwargs} from './keras/calls';
import {Inputs, checkSymbolicOptional, checkSymbolicType, listOf} from './keras/inputs';
import {shapeList} from './keras/layer_args';
import {readArgs} from './keras/weighted_args';
import type {WeightArgs, WeightOptions} from './keras/weight_options';

export interface LocalMHALayerArgs extends LocalMHAArgs, WeightArgs, AttentionLayerArgs {}

const FN = 'LocalMHA';
const USAGE = 'x, and after it [mask], [bias] or [mask, bias]';

/**
 * Local multi-head self-attention with its projections, as a layer.
 *
 * Inputs: x [B, n, dim], and after it a bool mask [B, n], a float32 bias [h, w, C], or both in this
 * order. Output: [B, n, dim]. Any n: the sequence is padded to whole windows and cut again. Keras
 * masks are honoured, combined with an explicit mask, and passed on.
 *
 * Weights: `norm/gamma` and `norm/beta` [dim] (prenorm), `to_qkv/kernel` [dim, 3 · heads · dimHead],
 * `q_scale` and `k_scale` [dimHead] (qkRmsnorm), `to_v_gate/kernel` [dim, heads] and `to_v_gate/bias`
 * [heads] (gateValuesPerHead), `to_out/kernel` [heads · dimHead, dim]. They are those of the PyTorch
 * module of the same name, its matrices transposed.
 *
 * The options: {@link LocalMHAArgs}, {@link WeightArgs}. The equation: docs/math.md.
 */
export class LocalMHA extends AttentionLayer {
  /** @nocollapse */
  static className = FN;
  /** The options, checked and complete. */
  readonly config: LocalMHAConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;

  constructor(args: LocalMHALayerArgs) {
    const {base, config, weightOptions, seeds} = readArgs(FN, args, 'dim', resolveMHAConfig);
    super(base, seeds);
    this.config = config;
    this.weightOptions = weightOptions;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.checkShape(shapeList(FN, inputShape)[0]);
    for (const [name, shape] of Object.entries(localMHAShapes(this.config))) {
      this.add(name, shape, this.weightOptions.named(name, null));
    }
    super.build(inputShape);
  }

  protected planCall([x, ...rest]: tf.Tensor[], kwargs: Kwargs): Plan {
    checkMHAInput(FN, x, this.config);
    return planMHA(FN, x.shape, this.config, this.optionsOf(rest, kwargs));
  }

  protected checkSymbols([x, ...rest]: tf.SymbolicTensor[]): void {
    checkSymbolicType(FN, 'x', x);
    this.checkShape(x.shape);
    checkSymbolicOptional(FN, rest, USAGE, x.shape, this.config.attention);
  }

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    const weights = this.weightTensors() as unknown as LocalMHAWeights;
    return tf.tidy(() => {
      const [x] = listOf(inputs);
      const plan = this.planOfCall(inputs, kwargs);
      return localMHA(x, weights, this.config, plan);
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    this.checkShape(shape);
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const {attention, ...own} = this.config;
    const {dim: _dim, scale: _scale, autopad: _autopad, ...inner} = attention;
    return {
      ...super.getConfig(),
      ...inner,
      ...own,
      ...this.weightOptions.getConfig(),
    };
  }

  private checkShape(shape: tf.Shape): void {
    const rule = `x must have the shape [B, n, dim] with dim ${this.config.dim}`;
    const last = shape[shape.length - 1];
    if (shape.length !== 3 || (last !== null && last !== this.config.dim)) fail(FN, rule, shape);
  }
}

tf.serialization.registerClass(LocalMHA);
