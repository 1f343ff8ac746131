/** The layers, and factories for them like those of tf.layers. */
import {LocalAttention, LocalAttentionLayerArgs} from './local_attention';
import {LocalMHA, LocalMHALayerArgs} from './local_mha';
import {RotaryEmbedding, RotaryEmbeddingArgs} from './rotary_embedding';

export {LocalAttention, LocalMHA, RotaryEmbedding};
export type {LayerArgs} from './keras/layer_args';
export type {WeightArgs} from './keras/weight_options';
export type {LocalAttentionLayerArgs, LocalMHALayerArgs, RotaryEmbeddingArgs};

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
