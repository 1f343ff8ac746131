/**
 * TF.js leaves the mask of one branch lying where the layers of another branch find it (see
 * keras_mask.ts). Whether a mask of the right shape is a layer's own, only the graph can tell, and
 * for a layer inside a layer or in a model inside a model, the graph of those around it.
 */
import * as tf from '@tensorflow/tfjs';

import {Call, callsAround} from './calls';

type Layer = tf.layers.Layer;

// these override computeMask, but answer only with what they are given
const RELAYS = [
  ...['Add', 'Average', 'Concatenate', 'Dot', 'Maximum', 'Minimum', 'Multiply'],
  ...['Bidirectional', 'ConvLSTM2D', 'GRU', 'LSTM', 'RNN', 'SimpleRNN'],
  ...['LocalAttention', 'LocalMHA', 'RotaryEmbedding', 'LocalTransformerBlock', 'FeedForward'],
  ...['HyperConnection', 'ResidualStreams', 'StreamSum', 'TokenLogits', 'DynamicPositionBias'],
];

/**
 * Whose a mask is that a layer finds in its options: `'given'` by who calls it, or by the layer
 * around it; in a model, its `'own'` or that of `'another'` branch. It follows the mask outwards
 * through all who handed it on. A layer used twice can have a mask if either use can.
 */
export function ownerOf(mask: unknown): 'given' | 'own' | 'another' {
  const calls = callsAround();
  let owner: 'given' | 'own' = 'given';
  for (let at = calls.length - 1; at >= 0 && calls[at].mask === mask; at--) {
    if (!calls[at].byModel) continue;
    if (!canHave(mask, calls[at], calls[at - 1])) return 'another';
    owner = 'own';
  }
  return owner;
}

/**
 * Whether the mask is what a model was called with, and a sequence [B, ..., n, d] in it has the
 * tokens of the model's input [B, n] or [B, n, d]: such a mask is no other layer's.
 */
export function isOfInput(mask: unknown, sequence: number[]): boolean {
  const outermost = callsAround().find((call) => call.mask === mask);
  if (outermost === undefined || outermost.byModel) return false;
  const {layer, input} = outermost;
  if (!(layer instanceof tf.LayersModel && input instanceof tf.Tensor && input.rank <= 3)) return false; // prettier-ignore
  return input.shape[0] === sequence[0] && input.shape[1] === sequence[sequence.length - 2];
}

/** Whether `call`, by a model, can have the mask; `around` is the call in which it happens. */
function canHave(mask: unknown, {layer, handedDown}: Call, around?: Call): boolean {
  if (layer.getClassName() === 'TimeDistributed') return false; // its mask is for no single step
  const before = inputsBefore(layer);
  if (around !== undefined && around.mask === mask) {
    const nested = around.byModel && around.layer instanceof tf.LayersModel;
    return !nested || before.has((around.layer as tf.LayersModel).inputs[0]); // it is that one's
  }
  return !handedDown || [...before].some(({sourceLayer}) => makesMask(sourceLayer));
}

function makesMask(layer: Layer): boolean {
  const overrides = layer.computeMask !== tf.layers.Layer.prototype.computeMask;
  return layer.supportsMasking && overrides && !RELAYS.includes(layer.getClassName());
}

/** The first input of a layer in each of its uses, and all that they are made of. */
function inputsBefore(layer: Layer): Set<tf.SymbolicTensor> {
  const found = new Set(layer.inboundNodes.map(({inputTensors}) => inputTensors[0]));
  for (const x of found) for (const input of x.inputs) found.add(input); // visits what it adds
  return found;
}
