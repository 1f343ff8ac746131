import * as tf from '@tensorflow/tfjs';

import {fail} from '../src/check/errors';
import {count, required} from '../src/check/option_kinds';
import {Given, readOptions} from '../src/check/options';
import {checkTensor} from '../src/check/tensors';
import {expandStreams, sumStreams} from '../src/nn/hyper_connections';
import {CheckedLayer} from './keras/checked_layer';
import {Inputs, checkOne, checkSymbolicType, listOf} from './keras/inputs';
import {LayerArgs, shapeList, splitArgs} from './keras/layer_args';

const OPTIONS = {
  /** Number of residual streams, S. */
  streams: required(count(1)),
};

export interface ResidualStreamsArgs extends Given<typeof OPTIONS>, LayerArgs {}

/** One tensor of a known rank in, another out. */
abstract class StreamLayer extends CheckedLayer {
  protected abstract readonly rank: number;

  protected checkCall(inputs: tf.Tensor[]): void {
    checkOne(this.usage.fn, this.usage.inputs, inputs);
    checkTensor(this.usage.fn, 'x', inputs[0], 'float32');
    this.computeOutputShape(inputs[0].shape);
  }

  protected checkSymbols(inputs: tf.SymbolicTensor[]): void {
    checkOne(this.usage.fn, this.usage.inputs, inputs);
    checkSymbolicType(this.usage.fn, 'x', inputs[0]);
    this.computeOutputShape(inputs[0].shape);
  }

  protected shapeOf(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const {fn, inputs} = this.usage;
    const [shape] = shapeList(fn, inputShape);
    if (shape.length !== this.rank) fail(fn, `x must be ${inputs}`, shape);
    return shape;
  }
}

/**
 * Copies of every token as the residual streams of a model with hyper-connections:
 * x [B, n, dim] -> [B, n, streams, dim]. {@link StreamSum} brings them together.
 */
export class ResidualStreams extends StreamLayer {
  /** @nocollapse */
  static className = 'ResidualStreams';
  /** Number of copies, S. */
  readonly streams: number;
  protected readonly rank = 3;
  protected readonly usage = {fn: 'ResidualStreams', inputs: 'one tensor [B, n, dim]'};

  constructor(args: ResidualStreamsArgs) {
    const {own, base} = splitArgs('ResidualStreams', args, 'streams');
    const {streams} = readOptions('ResidualStreams', OPTIONS, own);
    super(base);
    this.streams = streams;
  }

  override call(inputs: Inputs): tf.Tensor {
    return expandStreams(listOf(inputs)[0], this.streams);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, n, dim] = this.shapeOf(inputShape);
    return [batch, n, this.streams, dim];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), streams: this.streams};
  }
}

/** The sum of the residual streams: [B, n, S, dim] -> [B, n, dim]. */
export class StreamSum extends StreamLayer {
  /** @nocollapse */
  static className = 'StreamSum';
  protected readonly rank = 4;
  protected readonly usage = {fn: 'StreamSum', inputs: 'one tensor [B, n, S, dim]'};

  constructor(args: LayerArgs = {}) {
    const {own, base} = splitArgs('StreamSum', args, 'name');
    readOptions('StreamSum', {}, own);
    super(base);
  }

  override call(inputs: Inputs): tf.Tensor {
    return sumStreams(listOf(inputs)[0]);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch, n, , dim] = this.shapeOf(inputShape);
    return [batch, n, dim];
  }
}

tf.serialization.registerClass(ResidualStreams);
tf.serialization.registerClass(StreamSum);
