import * as tf from '@tensorflow/tfjs';

import {fail} from '../check/errors';
import {checkTensor} from '../check/tensors';
import type {Plan} from '../attention/plan';
import {seedOfStep} from '../attention/dropout';
import {FeedForwardCall, FeedForwardConfig, FeedForwardWeights, feedForward} from './feed_forward';
import {HyperConnectionWeights, hyperConnect} from './hyper_connections';
import {Attend, LocalMHAConfig, LocalMHAWeights, localMHA} from './local_mha';

export interface BlockConfig {
  /** With prenorm. */
  readonly attention: LocalMHAConfig;
  readonly feedForward: FeedForwardConfig;
  /** S, the residual streams; with 1 the residuals are plain. */
  readonly streams: number;
}

/** The parameters of the two branches, and with S > 1 of the connections around them. */
export interface BlockWeights {
  attention: LocalMHAWeights;
  attentionStreams: HyperConnectionWeights | null;
  feedForward: FeedForwardWeights;
  feedForwardStreams: HyperConnectionWeights | null;
}

/** Checks x [B, n, D], or [B, n, S, D] with S > 1. */
export function checkBlockInput(
  fn: string,
  x: unknown,
  {attention: {dim}, streams}: BlockConfig,
): asserts x is tf.Tensor {
  checkTensor(fn, 'x', x, 'float32');
  checkBlockShape(fn, x.shape, dim, streams);
}

/** As {@link checkBlockInput}, where null is a size that is not known yet. */
export function checkBlockShape(fn: string, shape: tf.Shape, dim: number, streams: number): void {
  const wanted = streams > 1 ? [null, null, streams, dim] : [null, null, dim];
  const fits = wanted.every((size, axis) => size === null || [size, null].includes(shape[axis]));
  if (shape.length === wanted.length && fits) return;
  const rule = streams > 1 ? `[B, n, ${streams}, dim]` : '[B, n, dim]';
  fail(fn, `x must have the shape ${rule} with dim ${dim}`, shape);
}

/**
 * A block of the local transformer, the attention branch and then the feed-forward branch, each
 * around its own {@link hyperConnect}, or with one stream x + f(x).
 *
 * @param x [B, n, D], or [B, n, S, D] with S > 1
 * @param attention what differs between the forward of a whole sequence and a step of decoding: a plan,
 *     or a function of queries, keys and values
 */
export function localTransformerBlock(
  x: tf.Tensor,
  weights: BlockWeights,
  config: BlockConfig,
  attention: Plan | Attend,
  call: FeedForwardCall,
): tf.Tensor {
  return tf.tidy(() => {
    const attended = hyperConnect(x, weights.attentionStreams, (tokens) =>
      localMHA(tokens, weights.attention, config.attention, attention),
    );
    const seed = seedOfStep(call.seed, 1); // not that of the attention's own dropout
    return hyperConnect(attended, weights.feedForwardStreams, (tokens) =>
      feedForward(tokens, weights.feedForward, config.feedForward, {...call, seed}),
    );
  });
}
