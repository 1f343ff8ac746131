/**
 * TF.js leaves the mask of one branch lying where the layers of another branch find it (see
 * keras_mask.ts). Whether a mask of the right shape is a layer's own, only the graph can tell. It
 * cannot where two branches meet in no layer, but only in the outputs of their model, nor where one
 * of them is in a model inside the model.
 */
import * as tf from '@tensorflow/tfjs';

type Layer = tf.layers.Layer;

// these override computeMask, but answer only with what they are given
const RELAYS = [
  ...['Add', 'Average', 'Concatenate', 'Dot', 'Maximum', 'Minimum', 'Multiply'],
  ...['Bidirectional', 'ConvLSTM2D', 'GRU', 'LSTM', 'RNN', 'SimpleRNN'],
  ...['LocalAttention', 'LocalMHA', 'RotaryEmbedding'],
];

/**
 * Whether the first input of `layer`, which stands in a model, can have a mask: if a layer before
 * it makes one, or if no layer of the whole graph does, so that the mask was given to the model, by
 * its caller or by the model around it. A layer used twice can have one if either use can.
 */
export function canBeMasked(layer: Layer): boolean {
  const inputs = layer.inboundNodes.map(({inputTensors}) => inputTensors[0]);
  const before = reach(inputs, (x) => x.inputs);
  if ([...before].some(({sourceLayer}) => makesMask(sourceLayer))) return true;
  return ![...reach([layer], neighbours)].some(makesMask);
}

function makesMask(layer: Layer): boolean {
  const overrides = layer.computeMask !== tf.layers.Layer.prototype.computeMask;
  return layer.supportsMasking && overrides && !RELAYS.includes(layer.getClassName());
}

function neighbours({inboundNodes, outboundNodes}: Layer): Layer[] {
  const users = outboundNodes.map(({outboundLayer}) => outboundLayer);
  return [...inboundNodes.flatMap(({inboundLayers}) => inboundLayers), ...users];
}

function reach<T>(start: T[], next: (from: T) => T[]): Set<T> {
  const found = new Set(start);
  for (const from of found) for (const to of next(from)) found.add(to); // visits what it adds
  return found;
}
