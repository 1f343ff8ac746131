/** The door: what users import. It holds no logic; importing layers and kernels registers them. */
import {
  dynamicPositionBias,
  feedForward,
  hyperConnection,
  localAttention,
  localMHA,
  localTransformerBlock,
  residualStreams,
  rotaryEmbedding,
  streamSum,
  tokenEmbedding,
  tokenLogits,
} from '../layers';
import {angles} from './rotary/angles';
import {apply} from './rotary/apply';
import {xposScale} from './rotary/xpos';

export {ready, registerFasterKernels} from '../kernels';
export {loadCheckpoint, saveCheckpoint} from '../models/checkpoint';
export {createDecoder} from '../models/decoder';
export {generate} from '../models/generate';
export {localTransformer} from '../models/local_transformer';
export {createStream} from '../models/stream';
export {localAttention} from './attention/local_attention';
export {languageModelLoss} from './nn/language_model_loss';
export {verify} from './verify/verify';
export {
  DynamicPositionBias,
  FeedForward,
  HyperConnection,
  LocalAttention,
  LocalMHA,
  LocalTransformerBlock,
  ResidualStreams,
  RotaryEmbedding,
  StreamSum,
  TokenEmbedding,
  TokenLogits,
} from '../layers';
/**
 * Factories of the layers, as those of tf.layers: `layers.localMHA({dim, windowSize})`.
 *
 * @namespace
 */
export const layers = {
  ...{localAttention, localMHA, rotaryEmbedding},
  ...{localTransformerBlock, feedForward, dynamicPositionBias, hyperConnection},
  ...{residualStreams, streamSum, tokenEmbedding, tokenLogits},
};
/**
 * Rotary and xpos position embedding on their own.
 *
 * @namespace
 */
export const rotary = {angles, apply, xposScale};

export type {ReadyOptions, Replaced, ReplacedGradient, ReplacedKernel} from '../kernels';
export type {Implementation, LocalAttentionArgs, LocalAttentionConfig} from './attention/config';
export type {LocalMHAArgs, LocalMHAConfig} from './nn/local_mha';
export type {LocalAttentionCall} from './attention/call';
export type {AngleOptions, RotaryAngles} from './rotary/angles';
export type {ApplyOptions} from './rotary/apply';
export type {XposOptions} from './rotary/xpos';
export type {Verification, VerifyFailure} from './verify/verify';
export type {CheckpointReport} from '../models/checkpoint';
export type {
  CheckpointFile,
  CheckpointShards,
  CheckpointSource,
  ShardIndex,
} from '../models/checkpoint_source';
export type {Decoder, DecoderOptions, FeedOptions} from '../models/decoder';
export type {TokenIds, TokenMask} from '../models/decoder_input';
export type {GenerateOptions, Prompt, Stop} from '../models/generate';
export type {Snapshot} from '../models/snapshot';
export type {Stream} from '../models/stream';
export type {LanguageModelLossOptions} from './nn/language_model_loss';
export type {Initializers, LocalTransformerArgs} from '../models/config';
export type {
  DynamicPositionBiasArgs,
  EmbeddingWeightArgs,
  FeedForwardLayerArgs,
  HyperConnectionArgs,
  LayerArgs,
  LocalAttentionLayerArgs,
  LocalMHALayerArgs,
  LocalTransformerBlockArgs,
  ResidualStreamsArgs,
  RotaryEmbeddingArgs,
  TokenEmbeddingArgs,
  TokenLogitsArgs,
  WeightArgs,
} from '../layers';
