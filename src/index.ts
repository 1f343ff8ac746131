/** The door: what users import. It holds no logic; importing the layers registers them. */
import {localAttention, localMHA, rotaryEmbedding} from '../layers';
import {angles, apply, xposScale} from './rotary';

export {localAttention} from './local_attention';
export {LocalAttention, LocalMHA, RotaryEmbedding} from '../layers';
export const layers = {localAttention, localMHA, rotaryEmbedding};
export const rotary = {angles, apply, xposScale};

export type {Implementation, LocalAttentionArgs} from './config';
export type {LocalAttentionCall} from './problem';
export type {AngleOptions, ApplyOptions, RotaryAngles, XposOptions} from './rotary';
export type {LocalAttentionLayerArgs, LocalMHALayerArgs, RotaryEmbeddingArgs} from '../layers';
