/** The door: what users import. It holds no logic; importing layers and kernels registers them. */
import {localAttention, localMHA, rotaryEmbedding} from '../layers';
import {angles} from './rotary/angles';
import {apply} from './rotary/apply';
import {xposScale} from './rotary/xpos';

export {ready, registerFasterKernels} from '../kernels';
export {localAttention} from './attention/local_attention';
export {verify} from './verify/verify';
export {LocalAttention, LocalMHA, RotaryEmbedding} from '../layers';
export const layers = {localAttention, localMHA, rotaryEmbedding};
export const rotary = {angles, apply, xposScale};

export type {ReadyOptions, Replaced} from '../kernels';
export type {Implementation, LocalAttentionArgs, LocalAttentionConfig} from './attention/config';
export type {LocalMHAArgs, LocalMHAConfig} from './nn/local_mha';
export type {LocalAttentionCall} from './attention/call';
export type {AngleOptions, RotaryAngles} from './rotary/angles';
export type {ApplyOptions} from './rotary/apply';
export type {XposOptions} from './rotary/xpos';
export type {Verification, VerifyFailure} from './verify/verify';
export type {
  LayerArgs,
  LocalAttentionLayerArgs,
  LocalMHALayerArgs,
  RotaryEmbeddingArgs,
  WeightArgs,
} from '../layers';
