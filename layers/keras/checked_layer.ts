/**
 * A layer that judges its inputs before TF.js does anything with them. TF.js would build a layer,
 * weights and all, before it calls it, and while a model is put together it would show the layer
 * nothing but shapes.
 */
import * as tf from '@tensorflow/tfjs';

import {failType, refuse} from '../../src/check/errors';
import {anything} from '../../src/check/option_kinds';
import {readOptions} from '../../src/check/options';
import {Kwargs, callsAround} from './calls';
import type {Inputs} from './inputs';
import {passOn} from './keras_mask';
import type {LayerArgs} from './layer_args';

/** What `apply` takes besides the inputs. */
const CALL = {training: anything(), mask: anything(), windowSize: anything()};

type Applied = ReturnType<tf.layers.Layer['apply']>;

export abstract class CheckedLayer extends tf.layers.Layer {
  /** The layer's name in messages, and a sentence that says what inputs it takes. */
  protected abstract readonly usage: {fn: string; inputs: string};

  constructor(args: LayerArgs) {
    super(args);
    this.supportsMasking = true;
  }

  /** Throws unless the layer can be called so. Allocates nothing. */
  protected abstract checkCall(inputs: tf.Tensor[], kwargs: Kwargs): void;

  /** Throws if the layer can never be called with such inputs. */
  protected abstract checkSymbols(inputs: tf.SymbolicTensor[]): void;

  override apply(inputs: Applied, kwargs?: Kwargs): Applied {
    const {fn, inputs: usage} = this.usage;
    const list: unknown[] = Array.isArray(inputs) ? inputs : [inputs];
    const rule = `inputs must be ${usage}`;
    const symbols = list.filter((x) => x instanceof tf.SymbolicTensor);
    const tensors = list.filter((x) => x instanceof tf.Tensor);
    if (list.length === 0 || symbols.length + tensors.length < list.length) {
      failType(fn, rule, inputs);
    }
    if (symbols.length > 0 && tensors.length > 0) {
      refuse(fn, `${rule}, all symbolic or all tensors, got both`);
    }
    const given = kwargs ?? {};
    if (given.training != null && typeof given.training !== 'boolean') {
      failType(fn, 'training must be true or false', given.training);
    }
    // a model hands what its caller says to all of its layers, so there it may be for others
    if (this.inboundNodes.length + callsAround().length === 0) readOptions(fn, CALL, given);
    if (tensors.length > 0) this.checkCall(tensors as tf.Tensor[], given);
    else this.checkSymbols(symbols as tf.SymbolicTensor[]);
    return super.apply(inputs, kwargs);
  }

  /** The output is masked as the first input is. */
  override computeMask(inputs: Inputs, mask?: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return passOn(inputs, mask) as tf.Tensor; // TF.js's own layers answer null too where there is none
  }
}
