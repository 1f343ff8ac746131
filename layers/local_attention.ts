import * as tf from '@tensorflow/tfjs';

import {LocalAttentionArgs, LocalAttentionConfig, resolveConfig} from '../src/attention/config';
import {refuse, show} from '../src/check/errors';
import {attend} from '../src/attention/local_attention';
import {Plan, planOf} from '../src/attention/plan';
import {checkSequences} from '../src/attention/problem';
import {checkShapes} from '../src/attention/shapes';
import {AttentionLayer, AttentionLayerArgs} from './keras/attention_layer';
import type {Kwargs} from './keras/calls';
import {
  AnyTensor,
  Inputs,
  checkSymbolicOptional,
  checkSymbolicType,
  describe,
  listOf,
} from './keras/inputs';
import {shapeList, splitArgs} from './keras/layer_args';
import {StepSeeds} from './keras/step_seeds';

export interface LocalAttentionLayerArgs extends LocalAttentionArgs, AttentionLayerArgs {}

const FN = 'LocalAttention';
const USAGE = 'x or [q, k, v], and after them [mask], [bias] or [mask, bias]';

/**
 * Local attention as a layer without weights.
 *
 * Inputs: x [B, n, d] or [B, h, n, d] (then q = k = v = x), or [q, k, v] with v of any width; after
 * either, a bool mask [B, n], a float32 bias [h, w, C], or both in this order. Output: like v.
 * Keras masks are honoured (of [q, k, v], that of q: TF.js tells no other), combined with an
 * explicit mask, and passed on. `apply` on tensors also takes `{training, mask, windowSize}`; inside a model TF.js passes on only the first two.
 *
 * The equation and the options: {@link localAttention}, {@link LocalAttentionArgs}.
 */
export class LocalAttention extends AttentionLayer {
  /** @nocollapse */
  static className = 'LocalAttention';
  /** The options, checked and complete. */
  readonly config: LocalAttentionConfig;
  protected readonly usage = {fn: FN, inputs: USAGE};

  constructor(args: LocalAttentionLayerArgs) {
    const {own, base} = splitArgs(FN, args, 'windowSize');
    const {seed, ...options} = own;
    const config = resolveConfig(FN, options);
    super(base, new StepSeeds(FN, seed ?? null));
    this.config = config;
  }

  protected planCall(inputs: tf.Tensor[], kwargs: Kwargs): Plan {
    const [q, k, v, ...rest] = sequences(inputs);
    checkSequences(FN, q, k, v);
    const shapes = {q: q.shape, k: k.shape, v: v.shape};
    return planOf(FN, shapes, this.config, this.optionsOf(rest, kwargs));
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    const [q, k, v, ...rest] = sequences(inputs);
    for (const [name, x] of Object.entries({q, k, v})) checkSymbolicType(FN, name, x);
    checkShapes(FN, q.shape, k.shape, v.shape, this.config);
    checkSymbolicOptional(FN, rest, USAGE, q.shape, this.config);
  }

  override call(inputs: Inputs, kwargs: Kwargs = {}): tf.Tensor {
    return tf.tidy(() => {
      const [q, k, v] = sequences(listOf(inputs));
      return attend(q, k, v, this.planOfCall(inputs, kwargs));
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [x, second, third] = shapeList(FN, inputShape);
    if (second !== undefined && third === undefined) checkNotTwins(x, second);
    const separate = third !== undefined && second.length === x.length;
    const [q, k, v] = separate ? [x, second, third] : [x, x, x];
    checkShapes(FN, q, k, v, this.config);
    return [...q.slice(0, -1), v[v.length - 1]];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), ...this.config};
  }
}

/** [q, k, v, ...optional], with x standing for all three where there is but one. */
function sequences<T extends AnyTensor>(list: T[]): T[] {
  const [x, second, third] = list;
  if (third?.dtype === 'bool') {
    refuse(FN, `inputs must be ${USAGE}, got ${describe(list)}`);
  }
  if (third !== undefined && second.rank === x.rank && second.dtype !== 'bool') return list;
  if (second !== undefined) checkNotTwins(x.shape, second.shape);
  return [x, x, x, ...list.slice(1)];
}

function checkNotTwins(x: tf.Shape, second: tf.Shape): void {
  if (x.length !== second.length || x.some((size, axis) => size !== second[axis])) return;
  refuse(
    FN,
    `[x, y] with y of x's own shape could be a bias or a key; write [q, k, v] for keys and values ` +
      `of their own, or [x, mask, bias] for a bias, got ${show(x)} twice`,
  );
}

tf.serialization.registerClass(LocalAttention);
