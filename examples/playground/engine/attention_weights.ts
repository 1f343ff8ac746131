/** Which characters each head of each block looks at: softmax(QKᵀ), as the model has it. */
import * as tf from '@tensorflow/tfjs';
import {LocalAttentionArgs, LocalTransformerBlock, localAttention} from 'tfjs-local-attention';

import {blockInputs, queriesAndKeys} from './activations';
import type {Language} from './language';

/** The weights of a text of n characters. */
export interface Attention {
  /** The characters that the weights are of: the last {@link LONGEST} of those asked for. */
  text: string;
  /** By block, first to last, and in it by head. */
  layers: {heads: HeadWeights[]}[];
}

/** [n, n]: the row is the query, the column its key; 0 where the query does not see the key. */
export type HeadWeights = Float32Array<ArrayBuffer>;

/** The window that the weights are taken in, where it is not the model's own: the options of the op. */
export type WindowOptions = Pick<
  Partial<LocalAttentionArgs>,
  | 'windowSize'
  | 'lookBackward'
  | 'lookForward'
  | 'causal'
  | 'exactWindowsize'
  | 'useRotaryPosEmb'
  | 'useXpos'
  | 'xposScaleBase'
  | 'sharedQk'
>;

/** [n, n] weights are drawn and sent: this many characters are enough for both. */
export const LONGEST = 256;

export async function attentionIn(
  {model, alphabet}: Language,
  text: string,
  window: WindowOptions = {},
): Promise<Attention> {
  const read = [...text].slice(-LONGEST);
  if (read.length === 0) return {text: '', layers: []};
  const all = tf.tidy(() => {
    const ids = tf.tensor2d(alphabet.encode(read.join('')), [1, read.length], 'int32');
    return blockInputs(model, ids).map(({block, x}) => weightsOf(block, x, window));
  });
  const values = await Promise.all(all.map((weights) => weights.data<'float32'>()));
  const layers = all.map(({shape: [, heads, n]}, at) => ({
    heads: Array.from({length: heads}, (_, h) => values[at].slice(h * n * n, (h + 1) * n * n)),
  }));
  tf.dispose(all);
  return {text: read.join(''), layers: layers as Attention['layers']};
}

/**
 * The weights [1, h, n, n] of a block that reads x [1, n, dim]. The op gives sums of values by these
 * weights; with the unit vectors as values, the sums are the weights themselves.
 */
export function weightsOf(
  block: LocalTransformerBlock,
  x: tf.Tensor,
  window: WindowOptions = {},
): tf.Tensor4D {
  return tf.tidy(() => {
    const {q, k} = queriesAndKeys(block, x);
    const [batch, heads, n] = q.shape;
    const units = tf.tile(tf.reshape(tf.eye(n), [1, 1, n, n]), [batch, heads, 1, 1]);
    const {relPosEmbConfig: _, ...own} = block.config.attention.attention as LocalAttentionArgs;
    const config = {...own, dropout: 0, ...window};
    return localAttention(q, config.sharedQk ? q : k, units, config) as tf.Tensor4D;
  });
}
