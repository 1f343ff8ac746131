/**
 * Who is being called. TF.js tells a layer nothing of the layers and models around it, without which
 * nobody can say whose mask it is handed (see mask_flow.ts). All of them are called by Layer.apply;
 * so from the first layer that asks, Layer.apply notes who is in it, and does what it always did.
 */
import * as tf from '@tensorflow/tfjs';

export type Kwargs = Record<string, unknown> & {mask?: unknown; training?: unknown};

export interface Call {
  layer: tf.layers.Layer;
  /** The first of what it is called with. */
  input: unknown;
  mask: unknown;
  /** Whether a model calls it: with a list, even of one, and as a part of its graph. */
  byModel: boolean;
  /** Whether the options have been another layer's before, and the mask with them. */
  handedDown: boolean;
}

const calls: Call[] = [];
const lastUser = new WeakMap<object, tf.layers.Layer>();
let noting = false;

/** The calls that have not ended, the outermost first. */
export function callsAround(): readonly Call[] {
  return calls;
}

/** The mask in the options of a call: alone, or first in a list. */
export function maskIn(kwargs: Kwargs): unknown {
  return Array.isArray(kwargs.mask) ? kwargs.mask[0] : kwargs.mask;
}

export function noteCalls(): void {
  if (noting) return;
  noting = true;
  const layers = tf.layers.Layer.prototype;
  const apply = layers.apply;
  layers.apply = function (this: tf.layers.Layer, inputs, kwargs?: Kwargs | null) {
    const options = kwargs ?? {};
    const user = lastUser.get(options);
    lastUser.set(options, this);
    calls.push({
      layer: this,
      input: Array.isArray(inputs) ? inputs[0] : inputs,
      mask: maskIn(options),
      byModel: Array.isArray(inputs) && isPart(this),
      handedDown: user !== undefined && user !== this,
    });
    try {
      return apply.call(this, inputs, options);
    } finally {
      calls.pop();
    }
  };
}

/** A model counts itself as used once, with nothing before it. */
function isPart({inboundNodes}: tf.layers.Layer): boolean {
  return inboundNodes.some(({inboundLayers}) => inboundLayers.length > 0);
}
