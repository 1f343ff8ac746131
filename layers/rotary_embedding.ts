import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {count} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {ANGLES, angles} from '../src/rotary/angles';
import {apply} from '../src/rotary/apply';
import {CheckedLayer} from './keras/checked_layer';
import {Inputs, checkOne, checkSymbolicType, listOf} from './keras/inputs';
import {LayerArgs, shapeList, splitArgs} from './keras/layer_args';

const OPTIONS = {
  /** Size of the last axis, even. Default: the input's, which it must equal. */
  dim: count(2),
  ...ANGLES,
};

export interface RotaryEmbeddingArgs extends Given<typeof OPTIONS>, LayerArgs {}

const FN = 'RotaryEmbedding';
const USAGE = 'one tensor [..., n, d]';

/**
 * Rotary position embedding as a layer without weights: x [..., n, d] to the same shape, position
 * p = offset … offset + n − 1 rotated by p · theta^(−2m / d) in channels m and m + d / 2. Keras
 * masks are passed on. See the module `rotary` for the equation and its source.
 */
export class RotaryEmbedding extends CheckedLayer {
  /** @nocollapse */
  static className = FN;
  protected readonly usage = {fn: FN, inputs: USAGE};
  private readonly dim: number | null;
  private readonly theta: number;
  private readonly offset: number;

  constructor(args: RotaryEmbeddingArgs = {}) {
    const {own, base} = splitArgs(FN, args, 'dim');
    const {dim, theta, offset} = readOptions(FN, OPTIONS, own);
    if (dim !== null && dim % 2 === 1) fail(FN, 'dim must be even', dim);
    super(base);
    this.dim = dim;
    this.theta = theta;
    this.offset = offset;
  }

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkTensor(FN, 'x', inputs[0], 'float32');
    this.checkShape(inputs[0].shape);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(FN, USAGE, inputs);
    checkSymbolicType(FN, 'x', inputs[0]);
    this.checkShape(inputs[0].shape);
  }

  override call(inputs: Inputs): tf.Tensor {
    const [x] = listOf(inputs);
    return tf.tidy(() => {
      const [n, d] = x.shape.slice(-2);
      return apply(x, angles(n, d, {theta: this.theta, offset: this.offset}));
    });
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [shape] = shapeList(FN, inputShape);
    this.checkShape(shape);
    return shape;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const {dim, theta, offset} = this;
    return {...super.getConfig(), dim, theta, offset};
  }

  private checkShape(shape: tf.Shape): void {
    if (shape.length < 2) fail(FN, 'x must have the shape [..., n, d]', shape);
    const d = shape[shape.length - 1];
    if (d === null) return;
    if (this.dim !== null && this.dim !== d) {
      fail(FN, `the last axis of x must be dim ${this.dim} (or leave dim out)`, d);
    }
    if (d < 2 || d % 2 === 1) fail(FN, 'the last axis of x must be even', d);
  }
}

tf.serialization.registerClass(RotaryEmbedding);
