/** The layers, and factories for them like those of tf.layers. */
import {DynamicPositionBias, DynamicPositionBiasArgs} from './dynamic_position_bias';
import {FeedForward, FeedForwardLayerArgs} from './feed_forward';
import {HyperConnection, HyperConnectionArgs} from './hyper_connection';
import type {LayerArgs} from './keras/layer_args';
import {LocalAttention, LocalAttentionLayerArgs} from './local_attention';
import {LocalMHA, LocalMHALayerArgs} from './local_mha';
import {LocalTransformerBlock, LocalTransformerBlockArgs} from './local_transformer_block';
import {ResidualStreams, ResidualStreamsArgs, StreamSum} from './residual_streams';
import {RotaryEmbedding, RotaryEmbeddingArgs} from './rotary_embedding';
import {TokenEmbedding, TokenEmbeddingArgs} from './token_embedding';
import {TokenLogits, TokenLogitsArgs} from './token_logits';

export {DynamicPositionBias, FeedForward, HyperConnection, LocalAttention, LocalMHA};
export {LocalTransformerBlock, ResidualStreams, RotaryEmbedding, StreamSum};
export {TokenEmbedding, TokenLogits};
export type {LayerArgs};
export type {EmbeddingWeightArgs} from './keras/embedding_options';
export type {WeightArgs} from './keras/weight_options';
export type {DynamicPositionBiasArgs, FeedForwardLayerArgs, HyperConnectionArgs};
export type {LocalAttentionLayerArgs, LocalMHALayerArgs, LocalTransformerBlockArgs};
export type {ResidualStreamsArgs, RotaryEmbeddingArgs, TokenEmbeddingArgs, TokenLogitsArgs};

/** Local attention without weights: see {@link LocalAttention}. */
export function localAttention(args: LocalAttentionLayerArgs): LocalAttention {
  return new LocalAttention(args);
}

/** Local multi-head self-attention: see {@link LocalMHA}. */
export function localMHA(args: LocalMHALayerArgs): LocalMHA {
  return new LocalMHA(args);
}

/** Rotary position embedding: see {@link RotaryEmbedding}. */
export function rotaryEmbedding(args: RotaryEmbeddingArgs = {}): RotaryEmbedding {
  return new RotaryEmbedding(args);
}

/** A block of the local transformer: see {@link LocalTransformerBlock}. */
export function localTransformerBlock(args: LocalTransformerBlockArgs): LocalTransformerBlock {
  return new LocalTransformerBlock(args);
}

/** The feed-forward network of a block: see {@link FeedForward}. */
export function feedForward(args: FeedForwardLayerArgs): FeedForward {
  return new FeedForward(args);
}

/** A bias of the scores by distance: see {@link DynamicPositionBias}. */
export function dynamicPositionBias(args: DynamicPositionBiasArgs): DynamicPositionBias {
  return new DynamicPositionBias(args);
}

/** A layer of the user's own as a branch of a transformer: see {@link HyperConnection}. */
export function hyperConnection(args: HyperConnectionArgs): HyperConnection {
  return new HyperConnection(args);
}

/** Copies of every token as residual streams: see {@link ResidualStreams}. */
export function residualStreams(args: ResidualStreamsArgs): ResidualStreams {
  return new ResidualStreams(args);
}

/** The sum of the residual streams: see {@link StreamSum}. */
export function streamSum(args: LayerArgs = {}): StreamSum {
  return new StreamSum(args);
}

/** Vectors of tokens and positions: see {@link TokenEmbedding}. */
export function tokenEmbedding(args: TokenEmbeddingArgs): TokenEmbedding {
  return new TokenEmbedding(args);
}

/** The end of a language model: see {@link TokenLogits}. */
export function tokenLogits(args: TokenLogitsArgs): TokenLogits {
  return new TokenLogits(args);
}
