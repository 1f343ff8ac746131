import * as tf from '@tensorflow/tfjs';

import {fail, refuse} from '../src/check/errors';
import {
  LocalMHAArgs,
  LocalMHAConfig,
  LocalMHAWeights,
  localMHA,
  planMHA,
  resolveMHAConfig,
} from '../src/nn/local_mha';
import type {Plan} from '../src/attention/plan';
import {AttentionLayer, AttentionLayerArgs} from './keras/attention_layer';
import type {Kwargs} from './keras/calls';
import {Inputs, checkSymbolicOptional, checkSymbolicType, listOf} from './keras/inputs';
import {shapeList, splitArgs, splitByName} from './keras/layer_args';
import {StepSeeds} from './keras/step_seeds';
import {Kind, WEIGHT_OPTIONS, WeightArgs, WeightOptions} from './keras/weight_options';

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
 * The equation and the options: {@link LocalMHAArgs}, {@link WeightArgs}.
 */
export class LocalMHA extends AttentionLayer {
  /** @nocollapse */
  static className = FN;
  readonly config: LocalMHAConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly weightOptions: WeightOptions;
  private readonly parameters = new Map<string, tf.LayerVariable>();

  constructor(args: LocalMHALayerArgs) {
    const {own, base} = splitArgs(FN, args, 'dim');
    const {seed, ...rest} = own;
    const [ofWeights, options] = splitByName(rest, WEIGHT_OPTIONS);
    const config = resolveMHAConfig(FN, options as unknown as LocalMHAArgs);
    const weightOptions = new WeightOptions(FN, ofWeights);
    super(base, new StepSeeds(FN, seed ?? null));
    this.config = config;
    this.weightOptions = weightOptions;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    this.checkShape(shapeList(FN, inputShape)[0]);
    const {dim, heads, dimHead} = this.config;
    const inner = heads * dimHead;
    if (this.config.prenorm) {
      this.add('norm/gamma', [dim], 'gamma');
      this.add('norm/beta', [dim], 'beta');
    }
    this.add('to_qkv/kernel', [dim, 3 * inner], 'kernel');
    if (this.config.qkRmsnorm) {
      this.add('q_scale', [dimHead], null);
      this.add('k_scale', [dimHead], null);
    }
    if (this.config.gateValuesPerHead) {
      this.add('to_v_gate/kernel', [dim, heads], 'kernel');
      this.add('to_v_gate/bias', [heads], 'bias');
    }
    this.add('to_out/kernel', [inner, dim], 'kernel');
    super.build(inputShape);
  }

  protected planCall([x, ...rest]: tf.Tensor[], kwargs: Kwargs): Plan {
    return planMHA(FN, x, this.config, this.optionsOf(rest, kwargs));
  }

  protected checkSymbols([x, ...rest]: tf.SymbolicTensor[]): void {
    checkSymbolicType(FN, 'x', x);
    this.checkShape(x.shape);
    checkSymbolicOptional(FN, rest, USAGE, x.shape, this.config.attention);
  }

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    const remedy = 'apply makes them, and so does build(shape) in the build of a layer around it';
    if (!this.built) refuse(FN, `call needs the weights: ${remedy}`);
    return tf.tidy(() => {
      const [x] = listOf(inputs);
      const entries = [...this.parameters].map(([name, variable]) => [name, variable.read()]);
      const weights = Object.fromEntries(entries) as LocalMHAWeights;
      return localMHA(x, weights, this.config, this.planOfCall(inputs, kwargs));
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

  /** `kind` null: ones, for the learned scales. */
  private add(name: string, shape: number[], kind: Kind | null): void {
    const ones = {
      initializer: tf.initializers.ones(),
      regularizer: undefined,
      constraint: undefined,
    };
    const {initializer, regularizer, constraint} = kind ? this.weightOptions.of(kind) : ones;
    const dtype = 'float32'; // not this.dtype, which is the input's
    const made = this.addWeight(name, shape, dtype, initializer, regularizer, true, constraint);
    this.parameters.set(name, made);
  }

  private checkShape(shape: tf.Shape): void {
    const rule = `x must have the shape [B, n, dim] with dim ${this.config.dim}`;
    const last = shape[shape.length - 1];
    if (shape.length !== 3 || (last !== null && last !== this.config.dim)) fail(FN, rule, shape);
  }
}

tf.serialization.registerClass(LocalMHA);
