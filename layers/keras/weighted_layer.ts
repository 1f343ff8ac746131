import * as tf from '@tensorflow/tfjs';

import {refuse} from '../../src/check/errors';
import {CheckedLayer} from './checked_layer';
import type {WeightMakers} from './weight_options';

/** What a layer with weights has in common: its parameters by their own names. */
export abstract class WeightedLayer extends CheckedLayer {
  private readonly variables = new Map<string, tf.LayerVariable>();

  /** The parameters by their names within the layer; none before the layer is built. */
  get parameters(): ReadonlyMap<string, tf.LayerVariable> {
    return this.variables;
  }

  /** What the parameters hold now, by the same names. Nothing to dispose of: they are the layer's. */
  weightTensors(): Record<string, tf.Tensor> {
    const remedy = 'apply makes them, and so does build(shape) in the build of a layer around it';
    if (!this.built) refuse(this.usage.fn, `call needs the weights: ${remedy}`);
    return Object.fromEntries([...this.variables].map(([name, one]) => [name, one.read()]));
  }

  /** Adds a parameter of the given shape. */
  protected add(name: string, shape: number[], makers: WeightMakers): void {
    const {initializer, regularizer, constraint} = makers;
    const dtype = 'float32'; // not this.dtype, which is the input's
    const made = this.addWeight(name, shape, dtype, initializer, regularizer, true, constraint);
    this.variables.set(name, made);
  }
}
