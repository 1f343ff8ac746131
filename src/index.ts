/** The door: what users import. It holds no logic; importing layers and kernels registers them. */
import {localAttention, localMHA, rotaryEmbedding} from '../layers';
import {angles, apply, xposScale} from './rotary/rotary';

export {ready} from '../kernels';
export {localAttention} from './attention/local_attention';
export {LocalAttention, LocalMHA, RotaryEmbedding} from '../layers';
export const layers = {localAttention, localMHA, rotaryEmbedding};
export const rotary = {angles, apply, xposScale};

export type {ReadyOptions} from '../kernels';
export type {Implementation, LocalAttentionArgs, LocalAttentionConfig} from './attention/config';
export type {LocalMHAArgs, LocalMHAConfig} from './nn/local_mha';
export type {LocalAttentionCall} from './attention/problem';
export type {AngleOptions, ApplyOptions, RotaryAngles, XposOptions} from './rotary/rotary';
export type {
  LayerArgs,
  LocalAttentionLayerArgs,
  LocalMHALayerArgs,
  RotaryEmbeddingArgs,
  WeightArgs,
} from '../layers';
