/** Every layer, with every option away from its default at least once, keeps the contract. */
import * as tf from '@tensorflow/tfjs';

import {LocalAttentionLayerArgs, LocalMHALayerArgs, RotaryEmbeddingArgs, layers} from '../../src';
import {BACKENDS, useBackend} from '../support/backends';
import {ContractInput, layerContract} from '../support/layer_contract';

const ATTENTION_DEFAULTS = {
  causal: false,
  look_backward: 1,
  look_forward: 1,
  dropout: 0,
  shared_qk: false,
  exact_windowsize: false,
  use_rotary_pos_emb: true,
  use_xpos: false,
  xpos_scale_base: null,
  implementation: 'auto',
  seed: null,
};

function attention(
  name: string,
  args: LocalAttentionLayerArgs,
  saved: Record<string, unknown>,
  inputs: ContractInput[],
  output: number[],
): void {
  const make = (common: object) => layers.localAttention({...args, ...common});
  const all = {...ATTENTION_DEFAULTS, dim: null, autopad: false, scale: null, ...saved};
  layerContract(`LocalAttention, ${name},`, {make, inputs, output, saved: all});
}

const GLOROT_NORMAL = {
  class_name: 'VarianceScaling',
  config: {scale: 1, mode: 'fan_avg', distribution: 'normal', seed: null},
};
const ONES = {class_name: 'Ones', config: {}};
const ZEROS = {class_name: 'Zeros', config: {}};
const MHA_DEFAULTS = {
  ...ATTENTION_DEFAULTS,
  exact_windowsize: true,
  prenorm: false,
  qk_rmsnorm: false,
  qk_scale: 8,
  gate_values_per_head: false,
  kernel_initializer: GLOROT_NORMAL,
  bias_initializer: ZEROS,
  gamma_initializer: ONES,
  beta_initializer: ZEROS,
  kernel_regularizer: null,
  bias_regularizer: null,
  gamma_regularizer: null,
  beta_regularizer: null,
  kernel_constraint: null,
  bias_constraint: null,
};

function mha(
  name: string,
  args: LocalMHALayerArgs,
  saved: Record<string, unknown>,
  weights: Record<string, number>,
  rest: ContractInput[] = [],
): void {
  const make = (common: object) => layers.localMHA({...args, ...common});
  const inputs = [{shape: [7, args.dim]}, ...rest];
  const all = {...MHA_DEFAULTS, ...saved};
  layerContract(`LocalMHA, ${name},`, {
    make,
    inputs,
    output: [7, args.dim],
    weights,
    saved: all,
  });
}

function rotary(args: RotaryEmbeddingArgs, saved: Record<string, unknown>, shape: number[]): void {
  const make = (common: object) => layers.rotaryEmbedding({...args, ...common});
  layerContract(`RotaryEmbedding(${JSON.stringify(args)})`, {
    make,
    inputs: [{shape}],
    output: shape,
    saved,
  });
}

describe.each(BACKENDS)('%s:', (backend) => {
  beforeAll(() => useBackend(backend));

  attention('all defaults', {windowSize: 4}, {window_size: 4}, [{shape: [8, 6]}], [8, 6]);
  attention(
    'no option at its default',
    {
      windowSize: 3,
      lookBackward: 2,
      lookForward: 0,
      dropout: 0.25,
      sharedQk: true,
      dim: 6,
      autopad: true,
      exactWindowsize: true,
      scale: 0.5,
      useXpos: true,
      xposScaleBase: 5,
      implementation: 'composite',
      causal: true,
      seed: 7,
    },
    {
      window_size: 3,
      look_backward: 2,
      look_forward: 0,
      dropout: 0.25,
      shared_qk: true,
      dim: 6,
      autopad: true,
      exact_windowsize: true,
      scale: 0.5,
      use_xpos: true,
      xpos_scale_base: 5,
      implementation: 'composite',
      causal: true,
      seed: 7,
    },
    [{shape: [7, 6]}],
    [7, 6],
  );
  attention(
    'q, k, v of four axes with a mask, no rotary',
    {windowSize: 2, useRotaryPosEmb: false},
    {window_size: 2, use_rotary_pos_emb: false},
    [{shape: [2, 4, 5]}, {shape: [2, 4, 5]}, {shape: [2, 4, 3]}, {shape: [4], dtype: 'bool'}],
    [2, 4, 3],
  );

  mha(
    'all defaults but the sizes',
    {dim: 6, windowSize: 4, heads: 2, dimHead: 4},
    {dim: 6, window_size: 4, heads: 2, dim_head: 4},
    {'to_qkv/kernel': 144, 'to_out/kernel': 48},
  );
  mha(
    'no option at its default',
    {
      dim: 5,
      windowSize: 3,
      dimHead: 2,
      heads: 3,
      dropout: 0.5,
      causal: true,
      prenorm: true,
      qkRmsnorm: true,
      qkScale: 4,
      useXpos: true,
      xposScaleBase: 2,
      exactWindowsize: false,
      gateValuesPerHead: true,
      lookBackward: 2,
      lookForward: 0,
      sharedQk: true,
      implementation: 'composite',
      seed: 3,
      kernelInitializer: 'heNormal',
      kernelRegularizer: 'l1l2',
      kernelConstraint: 'nonNeg',
      biasInitializer: tf.initializers.constant({value: 0.5}),
      biasRegularizer: tf.regularizers.l2({l2: 0.125}),
      biasConstraint: tf.constraints.nonNeg(),
      gammaInitializer: tf.initializers.randomUniform({minval: 0.5, maxval: 1.5, seed: 2}),
      gammaRegularizer: tf.regularizers.l1({l1: 0.25}),
      betaInitializer: 'randomNormal',
      betaRegularizer: 'l1l2',
    },
    {
      dim: 5,
      window_size: 3,
      dim_head: 2,
      heads: 3,
      dropout: 0.5,
      causal: true,
      prenorm: true,
      qk_rmsnorm: true,
      qk_scale: 4,
      use_xpos: true,
      xpos_scale_base: 2,
      exact_windowsize: false,
      gate_values_per_head: true,
      look_backward: 2,
      look_forward: 0,
      shared_qk: true,
      implementation: 'composite',
      seed: 3,
      kernel_initializer: {
        class_name: 'VarianceScaling',
        config: {scale: 2, mode: 'fan_in', distribution: 'normal', seed: null},
      },
      kernel_regularizer: {class_name: 'L1L2', config: expect.any(Object)},
      kernel_constraint: {class_name: 'NonNeg', config: {}},
      bias_initializer: {class_name: 'Constant', config: {value: 0.5}},
      bias_regularizer: {class_name: 'L1L2', config: {l1: 0, l2: 0.125}},
      bias_constraint: {class_name: 'NonNeg', config: {}},
      gamma_initializer: {
        class_name: 'RandomUniform',
        config: {minval: 0.5, maxval: 1.5, seed: 2},
      },
      gamma_regularizer: {class_name: 'L1L2', config: {l1: 0.25, l2: 0}},
      beta_initializer: {class_name: 'RandomNormal', config: expect.any(Object)},
      beta_regularizer: {class_name: 'L1L2', config: expect.any(Object)},
    },
    {
      'norm/gamma': 5,
      'norm/beta': 5,
      'to_qkv/kernel': 90,
      q_scale: 2,
      k_scale: 2,
      'to_v_gate/kernel': 15,
      'to_v_gate/bias': 3,
      'to_out/kernel': 30,
    },
  );
  mha(
    'a mask input, and weights described as model.json describes them',
    {
      dim: 4,
      windowSize: 2,
      heads: 1,
      dimHead: 3,
      useRotaryPosEmb: false,
      kernelInitializer: {className: 'Orthogonal', config: {gain: 2, seed: 1}} as never,
      kernelRegularizer: {className: 'L1L2', config: {l1: 0, l2: 0.5}} as never,
      kernelConstraint: {className: 'NonNeg', config: {}} as never,
    },
    {
      dim: 4,
      window_size: 2,
      heads: 1,
      dim_head: 3,
      use_rotary_pos_emb: false,
      kernel_initializer: {class_name: 'Orthogonal', config: {gain: 2, seed: 1}},
      kernel_regularizer: {class_name: 'L1L2', config: {l1: 0, l2: 0.5}},
      kernel_constraint: {class_name: 'NonNeg', config: {}},
    },
    {'to_qkv/kernel': 36, 'to_out/kernel': 12},
    [{shape: [7], dtype: 'bool'}],
  );

  rotary({}, {dim: null, theta: 10000, offset: 0}, [5, 6]);
  rotary({dim: 4, theta: 100, offset: 3}, {dim: 4, theta: 100, offset: 3}, [2, 5, 4]);
});
