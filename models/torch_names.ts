/**
 * The names of the original's state_dict: the one table of them, which loading and saving both read.
 * A kernel is the weight of a torch.nn.Linear, transposed: [in, out] here, [out, in] there. All else
 * lies alike in both.
 */
import * as tf from '@tensorflow/tfjs';

import {failType, refuse, show} from '../src/check/errors';
import type {LocalMHAConfig} from '../src/nn/local_mha';
import {DynamicPositionBias} from '../layers/dynamic_position_bias';
import {FeedForward} from '../layers/feed_forward';
import {HyperConnection} from '../layers/hyper_connection';
import type {WeightedLayer} from '../layers/keras/weighted_layer';
import {LocalMHA} from '../layers/local_mha';
import {LocalTransformerBlock} from '../layers/local_transformer_block';
import {TokenEmbedding} from '../layers/token_embedding';
import {TokenLogits} from '../layers/token_logits';
import {inverseFrequencies} from './inverse_frequencies';
import {partsOf} from './parts';

/** A tensor of the state_dict: a parameter, or a buffer that holds what it always holds. */
export interface TorchTensor {
  readonly name: string;
  /** In PyTorch. */
  readonly shape: readonly number[];
  readonly parameter: tf.LayerVariable | null;
  /** Whether the parameter is the transposed matrix. */
  readonly transposed: boolean;
  /** What a buffer holds. */
  readonly buffer: Float32Array | null;
}

type Names = Readonly<Record<string, string>>;

const EMBEDDING: Names = {tokens: 'token_emb.weight', positions: 'pos_emb.weight'};

const POSITION_BIAS: Names = {
  'mlp/0/kernel': 'mlp.0.weight',
  'mlp/0/bias': 'mlp.0.bias',
  'mlp/2/kernel': 'mlp.2.weight',
  'mlp/2/bias': 'mlp.2.bias',
  'mlp/4/kernel': 'mlp.4.weight',
  'mlp/4/bias': 'mlp.4.bias',
};

const MHA: Names = {
  'norm/gamma': 'norm.weight',
  'norm/beta': 'norm.bias',
  'to_qkv/kernel': 'to_qkv.weight',
  q_scale: 'q_scale',
  k_scale: 'k_scale',
  'to_v_gate/kernel': 'to_v_gate.0.weight',
  'to_v_gate/bias': 'to_v_gate.0.bias',
  'to_out/kernel': 'to_out.weight',
};

const FEED_FORWARD: Names = {
  'norm/gamma': '0.weight',
  'norm/beta': '0.bias',
  'to_hidden/kernel': '1.weight',
  'to_out/kernel': '4.weight',
};

const STREAMS: Names = {
  static_alpha: 'static_alpha',
  dynamic_alpha_fn: 'dynamic_alpha_fn',
  dynamic_alpha_scale: 'dynamic_alpha_scale',
  static_beta: 'static_beta',
  dynamic_beta_fn: 'dynamic_beta_fn',
  dynamic_beta_scale: 'dynamic_beta_scale',
  gamma: 'norm.gamma',
};

const BLOCK: Names = {
  ...under('attention/', '0.branch.', MHA),
  ...under('attention/streams/', '0.', STREAMS),
  ...under('feed_forward/', '1.branch.', FEED_FORWARD),
  ...under('feed_forward/streams/', '1.', STREAMS),
};

const LOGITS: Names = {
  'norm/gamma': 'to_logits.0.weight',
  'norm/beta': 'to_logits.0.bias',
  kernel: 'to_logits.1.weight',
};

const INV_FREQ = 'attn_fn.rel_pos.inv_freq';

/** What Keras calls the weights of a layer, and torch those of its counterpart. */
const KERAS = new Map([
  ['kernel', 'weight'],
  ['gamma', 'weight'],
  ['beta', 'bias'],
]);

/** All that the original's state_dict holds of a model or a layer, in the order of the modules. */
export function torchTensors(fn: string, target: unknown): TorchTensor[] {
  if (!(target instanceof tf.LayersModel)) return ofLayer(fn, '', target);
  const {embedding, positionBias, blocks, logits} = partsOf(fn, target);
  return [
    ...(embedding ? ofLayer(fn, '', embedding) : []),
    ...(positionBias ? ofLayer(fn, 'dynamic_pos_bias.', positionBias) : []),
    ...blocks.flatMap(({inserted}, l) =>
      inserted ? ofInserted(fn, `global_layers.${l}.`, inserted) : [],
    ),
    ...blocks.flatMap(({block}, l) => ofLayer(fn, `layers.${l}.`, block)),
    ...(logits ? ofLayer(fn, '', logits) : []),
  ];
}

function ofLayer(fn: string, prefix: string, layer: unknown): TorchTensor[] {
  if (layer instanceof TokenEmbedding) return parameters(fn, prefix, layer, EMBEDDING);
  if (layer instanceof DynamicPositionBias) return parameters(fn, prefix, layer, POSITION_BIAS);
  if (layer instanceof FeedForward) return parameters(fn, prefix, layer, FEED_FORWARD);
  if (layer instanceof TokenLogits) return parameters(fn, prefix, layer, LOGITS);
  if (layer instanceof LocalMHA) {
    return [...parameters(fn, prefix, layer, MHA), ...rotary(prefix, layer.config)];
  }
  if (layer instanceof LocalTransformerBlock) {
    const buffers = rotary(`${prefix}0.branch.`, layer.config.attention);
    return [...parameters(fn, prefix, layer, BLOCK), ...buffers];
  }
  const known = 'a model of localTransformer, or one of its layers such as LocalMHA';
  return failType(fn, `what has a checkpoint must be ${known}`, layer);
}

function parameters(fn: string, prefix: string, layer: WeightedLayer, names: Names): TorchTensor[] {
  if (!layer.built) refuse(fn, `${layer.getClassName()} must be built: apply makes its weights`);
  return [...layer.parameters].map(([own, parameter]) =>
    ofParameter(prefix + names[own], parameter, own.endsWith('kernel')),
  );
}

function ofParameter(name: string, parameter: tf.LayerVariable, transposed: boolean): TorchTensor {
  const shape = parameter.shape as number[];
  return {
    name,
    shape: transposed ? [...shape].reverse() : shape,
    parameter,
    transposed,
    buffer: null,
  };
}

/** The one buffer of a LocalMHA that is saved. */
function rotary(prefix: string, {attention, dimHead}: LocalMHAConfig): TorchTensor[] {
  if (!attention.useRotaryPosEmb) return [];
  const buffer = inverseFrequencies(dimHead);
  const name = prefix + INV_FREQ;
  return [{name, shape: [buffer.length], parameter: null, transposed: false, buffer}];
}

/** A layer of the user's own and the connection around it. */
function ofInserted(fn: string, prefix: string, inserted: HyperConnection): TorchTensor[] {
  const within = ofBranch(fn, `${prefix}branch.`, inserted.layer);
  const names = within.map(({name}) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    refuse(fn, `an inserted layer must have weights of different names for a checkpoint, got two for ${show(twice)}`); // prettier-ignore
  }
  return [...parameters(fn, prefix, inserted, STREAMS), ...within];
}

/**
 * What the weights of a layer of the user's own are called in PyTorch is told by the table where it is
 * one of ours, by their places in a tf.sequential, and else by their own names, as if the layer were
 * made of the modules that are called like Keras's layers: `to_q/kernel` is `to_q.weight`, transposed.
 */
function ofBranch(fn: string, prefix: string, layer: tf.layers.Layer): TorchTensor[] {
  if (layer instanceof LocalMHA || layer instanceof FeedForward) return ofLayer(fn, prefix, layer);
  if (layer instanceof tf.Sequential) {
    const parts = layer.layers.filter((part) => part.getClassName() !== 'InputLayer');
    return parts.flatMap((part, at) => ofBranch(fn, `${prefix}${at}.`, part));
  }
  return layer.weights.map((weight) => ofOwn(fn, prefix, layer, weight));
}

function ofOwn(
  fn: string,
  prefix: string,
  layer: tf.layers.Layer,
  weight: tf.LayerVariable,
): TorchTensor {
  const [around, within] = [`/${weight.originalName}`, `/${layer.name}/`];
  const at = around.indexOf(within); // the name of a layer may have slashes of its own
  const own = around.slice(at < 0 ? 1 : at + within.length).split('/');
  const last = own.pop()!;
  const transposed = last === 'kernel';
  if (transposed && weight.shape.length !== 2) {
    const got = `${show(weight.originalName)} of the shape ${show(weight.shape)}`;
    refuse(fn, `an inserted layer must have kernels of two axes for a checkpoint, got ${got}`);
  }
  return ofParameter(prefix + [...own, KERAS.get(last) ?? last].join('.'), weight, transposed);
}

/** A table for a layer that holds another's parameters under a name of its own. */
function under(ours: string, theirs: string, names: Names): Names {
  return Object.fromEntries(
    Object.entries(names).map(([own, torch]) => [ours + own, theirs + torch]),
  );
}
