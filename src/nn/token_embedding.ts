import * as tf from '@tensorflow/tfjs';

import {nothing} from '../attention/nothing';
import {fail, failType, refuse} from '../check/errors';

/** The parameters by the names that they are saved under. */
export interface TokenEmbeddingWeights {
  /** [V, D] */
  tokens: tf.Tensor2D;
  /** [N, D], with absolute positions */
  positions?: tf.Tensor2D;
}

/** Checks ids [B, n], of which n may be at most `longest`. */
export function checkIds(fn: string, ids: tf.Tensor, longest: number | null): void {
  if (ids.dtype !== 'int32' && ids.dtype !== 'float32') {
    failType(fn, 'ids must be int32 (or float32, which are made so)', ids);
  }
  if (ids.isDisposed) fail(fn, 'ids must not be disposed', ids);
  if (ids.rank !== 2) fail(fn, 'ids must have the shape [B, n]', ids);
  if (longest !== null && ids.shape[1]! > longest) {
    refuse(
      fn,
      `ids must have at most maxSeqLen ${longest} tokens (absolutePositions: false takes any ` +
        `number), got ${ids.shape[1]}`,
    );
  }
}

/**
 * The vectors of tokens, with those of the positions from `first` on added.
 *
 * @param ids [B, n], each in [0, V)
 * @returns [B, n, D]
 */
export function embedTokens(
  ids: tf.Tensor,
  {tokens, positions}: TokenEmbeddingWeights,
  first = 0,
): tf.Tensor {
  const [batch, n] = ids.shape;
  const dim = tokens.shape[1];
  if (ids.size === 0) {
    return nothing(positions ? [tokens, positions] : [tokens], [batch, n, dim]);
  }
  return tf.tidy(() => {
    const vectors = tf.gather(tokens, tf.cast(ids, 'int32'));
    return positions ? tf.add(vectors, tf.slice(positions, [first, 0], [n, dim])) : vectors;
  });
}
