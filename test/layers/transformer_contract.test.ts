/** The layers of the transformer, with every option away from its default at least once. */
import * as tf from '@tensorflow/tfjs';

import {layers} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {layerContract} from '../support/layer_contract';

const GLOROT_NORMAL = {
  class_name: 'VarianceScaling',
  config: {scale: 1, mode: 'fan_avg', distribution: 'normal', seed: null},
};
const ONES = {class_name: 'Ones', config: {}};
const ZEROS = {class_name: 'Zeros', config: {}};
const WEIGHTS = {
  ...{kernel_initializer: GLOROT_NORMAL, kernel_regularizer: null, kernel_constraint: null},
  ...{bias_initializer: ZEROS, bias_regularizer: null, bias_constraint: null},
  ...{gamma_initializer: ONES, gamma_regularizer: null},
  ...{beta_initializer: ZEROS, beta_regularizer: null},
};
const BLOCK = {
  ...{causal: false, look_backward: 1, look_forward: 1, exact_windowsize: true, shared_qk: false},
  ...{use_rotary_pos_emb: true, use_xpos: false, xpos_scale_base: null, implementation: 'auto'},
  ...{dim_head: 64, heads: 8, qk_rmsnorm: false, qk_scale: 8, gate_values_per_head: false},
  ...{attn_dropout: 0, ff_mult: 4, ff_dropout: 0, streams: 1, first_stream: null, seed: null},
  ...WEIGHTS,
};
const STREAMS = ['static_alpha', 'dynamic_alpha_fn', 'dynamic_alpha_scale', 'static_beta']
  .concat(['dynamic_beta_fn', 'dynamic_beta_scale', 'gamma']); // prettier-ignore
/** At first all dynamic parts are zero: tanh(0) moves no scale, and moves nothing by gamma. */
const AT_REST = ['dynamic_alpha_scale', 'dynamic_beta_scale', 'gamma'];

function streams(count: number, dim: number): Record<string, number> {
  const sizes = [count * (count + 1), dim * (count + 1), 1, count, dim, 1, dim];
  return Object.fromEntries(STREAMS.map((name, i) => [name, sizes[i]]));
}

function under(branch: string, sizes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(sizes).map(([name, size]) => [branch + name, size]));
}

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));

  const small = {dim: 6, windowSize: 3, heads: 2, dimHead: 4};
  layerContract('LocalTransformerBlock, one stream, by default', {
    make: (common) => layers.localTransformerBlock({...small, ...common}),
    inputs: [{shape: [7, 6]}],
    output: [7, 6],
    weights: {
      ...under('attention/', {
        ...{'norm/gamma': 6, 'norm/beta': 6, 'to_qkv/kernel': 6 * 24, 'to_out/kernel': 8 * 6},
      }),
      ...under('feed_forward/', {
        ...{'norm/gamma': 6, 'norm/beta': 6, 'to_hidden/kernel': 6 * 32, 'to_out/kernel': 16 * 6},
      }),
    },
    saved: {...BLOCK, dim: 6, window_size: 3, heads: 2, dim_head: 4},
  });

  layerContract('LocalTransformerBlock, three streams, with a mask, a bias and every option', {
    make: (common) =>
      layers.localTransformerBlock({
        ...small,
        ...{causal: true, lookBackward: 2, exactWindowsize: false, sharedQk: true},
        ...{useXpos: true, xposScaleBase: 5, implementation: 'composite'},
        ...{qkRmsnorm: true, qkScale: 3, gateValuesPerHead: true},
        ...{ffMult: 2.5, streams: 3, firstStream: 4, seed: 7},
        ...{kernelInitializer: 'heNormal', betaInitializer: 'ones'},
        ...common,
      }),
    inputs: [{shape: [7, 3, 6]}, {shape: [7], dtype: 'bool'}],
    output: [7, 3, 6],
    weights: {
      ...under('attention/', {
        ...{'norm/gamma': 6, 'norm/beta': 6, 'to_qkv/kernel': 6 * 24, q_scale: 4, k_scale: 4},
        ...{'to_v_gate/kernel': 12, 'to_v_gate/bias': 2, 'to_out/kernel': 8 * 6},
      }),
      ...under('feed_forward/', {
        ...{'norm/gamma': 6, 'norm/beta': 6, 'to_hidden/kernel': 6 * 20, 'to_out/kernel': 10 * 6},
      }),
      ...under('attention/streams/', streams(3, 6)),
      ...under('feed_forward/streams/', streams(3, 6)),
    },
    unmoved: ['attention/streams/', 'feed_forward/streams/'].flatMap((branch) =>
      AT_REST.map((name) => branch + name),
    ),
    saved: {
      ...BLOCK,
      ...{dim: 6, window_size: 3, heads: 2, dim_head: 4, causal: true, look_backward: 2},
      ...{look_forward: 0, exact_windowsize: false, shared_qk: true, use_xpos: true},
      ...{xpos_scale_base: 5, implementation: 'composite', qk_rmsnorm: true, qk_scale: 3},
      ...{gate_values_per_head: true, ff_mult: 2.5, streams: 3, first_stream: 4, seed: 7},
      kernel_initializer: {
        class_name: 'VarianceScaling',
        config: {scale: 2, mode: 'fan_in', distribution: 'normal', seed: null},
      },
      beta_initializer: ONES,
    },
  });

  layerContract('FeedForward', {
    make: (common) => layers.feedForward({dim: 5, mult: 3, seed: 3, ...common}),
    inputs: [{shape: [7, 5]}],
    output: [7, 5],
    weights: {'norm/gamma': 5, 'norm/beta': 5, 'to_hidden/kernel': 5 * 20, 'to_out/kernel': 50},
    saved: {...WEIGHTS, dim: 5, mult: 3, dropout: 0, seed: 3},
  });

  layerContract('TokenLogits', {
    make: (common) => layers.tokenLogits({dim: 5, numTokens: 11, ...common}),
    inputs: [{shape: [7, 5]}],
    output: [7, 11],
    weights: {'norm/gamma': 5, 'norm/beta': 5, kernel: 55},
    saved: {...WEIGHTS, dim: 5, num_tokens: 11, seed: null},
  });

  layerContract('ResidualStreams', {
    make: (common) => layers.residualStreams({streams: 3, ...common}),
    inputs: [{shape: [7, 5]}],
    output: [7, 3, 5],
    saved: {streams: 3},
  });

  layerContract('StreamSum', {
    make: (common) => layers.streamSum(common),
    inputs: [{shape: [7, 3, 5]}],
    output: [7, 5],
    saved: {},
  });

  // no Dense: in tests TF.js takes what its fused product keeps on tensorflow for a leak
  const inner = () => layers.feedForward({dim: 5, mult: 3, name: 'inner'});
  const innerWeights = {
    ...{'inner/norm/gamma': 5, 'inner/norm/beta': 5},
    ...{'inner/to_hidden/kernel': 5 * 20, 'inner/to_out/kernel': 10 * 5},
  };
  const innerSaved = expect.objectContaining({class_name: 'FeedForward'});
  layerContract('HyperConnection, one stream', {
    make: (common) => layers.hyperConnection({layer: inner(), dim: 5, ...common}),
    inputs: [{shape: [7, 5]}],
    output: [7, 5],
    weights: innerWeights,
    saved: {layer: innerSaved, dim: 5, streams: 1, first_stream: null, seed: null},
  });
  layerContract('HyperConnection, three streams', {
    make: (common) =>
      layers.hyperConnection({layer: inner(), dim: 5, streams: 3, firstStream: 1, ...common}),
    inputs: [{shape: [7, 3, 5]}],
    output: [7, 3, 5],
    weights: {...streams(3, 5), ...innerWeights},
    unmoved: AT_REST,
    saved: {layer: innerSaved, dim: 5, streams: 3, first_stream: 1, seed: null},
  });

  test('HyperConnection: what a regularizer of the layer within adds to the loss is added', async () => {
    const kernelRegularizer = tf.regularizers.l2({l2: 0.1});
    const layer = tf.layers.dense({units: 5, kernelInitializer: 'ones', kernelRegularizer});
    const held = layers.hyperConnection({layer, dim: 5, streams: 3});
    const x = tf.input({shape: [7, 3, 5]});
    const model = tf.model({inputs: x, outputs: held.apply(x) as tf.SymbolicTensor});
    const [penalty, ...others] = model.calculateLosses();
    expect(others).toEqual([]);
    expect((await penalty.data())[0]).toBeCloseTo(0.1 * 25, 5);
    penalty.dispose();
    model.dispose();
  });
});
