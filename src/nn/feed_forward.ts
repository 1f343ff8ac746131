import * as tf from '@tensorflow/tfjs';

import {keepElements} from '../attention/dropout';
import {nothing} from '../attention/nothing';
import {fail} from '../check/errors';
import {count, number, required} from '../check/option_kinds';
import {Chosen, Given, readOptions} from '../check/options';
import {checkTensor} from '../check/tensors';
import {closedFormKeeping} from './closed_form';
import {geglu, gegluGradient} from './geglu';
import {projectGradients, projected} from './layer_norm';
import {matMul} from './mat_mul';

export const FEED_FORWARD = {
  /** Size of a token, D. */
  dim: required(count(1)),
  /** The hidden size F is ⌊dim · mult · 2 / 3⌋, at least 1. */
  mult: number('> 0', {above: 0}, 4),
  /** Rate at which hidden values are dropped in training; the rest grow by 1 / (1 − rate). */
  dropout: number('in [0, 1)', {from: 0, below: 1}, 0),
};

export type FeedForwardArgs = Given<typeof FEED_FORWARD>;
/** {@link FeedForwardArgs} checked and complete, with `inner`, the hidden size F. Frozen. */
export type FeedForwardConfig = Chosen<typeof FEED_FORWARD> & {readonly inner: number};

export function resolveFeedForward(fn: string, args: FeedForwardArgs): FeedForwardConfig {
  const options = readOptions(fn, FEED_FORWARD, args);
  const inner = Math.floor((options.dim * options.mult * 2) / 3);
  if (inner < 1) fail(fn, '⌊dim · mult · 2 / 3⌋, the hidden size, must be at least 1', inner);
  return Object.freeze({...options, inner});
}

/** The parameters by the names that they are saved under; kernels are [in, out]. */
export interface FeedForwardWeights {
  /** [D] */
  'norm/gamma': tf.Tensor;
  'norm/beta': tf.Tensor;
  /** [D, 2 · F]: the values, then the gates */
  'to_hidden/kernel': tf.Tensor;
  /** [F, D] */
  'to_out/kernel': tf.Tensor;
}

/** The shapes of the parameters, in the order in which they are saved. */
export function feedForwardShapes({dim, inner}: FeedForwardConfig): Record<string, number[]> {
  return {
    'norm/gamma': [dim],
    'norm/beta': [dim],
    'to_hidden/kernel': [dim, 2 * inner],
    'to_out/kernel': [inner, dim],
  };
}

/** What a call is told: whether it trains, and where the random numbers of its dropout begin. */
export interface FeedForwardCall {
  training: boolean;
  seed: number;
}

/** Checks x [..., D]. */
export function checkTokens(fn: string, x: unknown, dim: number): asserts x is tf.Tensor {
  checkTensor(fn, 'x', x, 'float32');
  if (x.rank < 2 || x.shape[x.rank - 1] !== dim) {
    fail(fn, `x must have the shape [..., dim] with dim ${dim}`, x.shape);
  }
}

/**
 * The feed-forward network of a transformer block, with GEGLU and no biases:
 *
 *     x [..., D] → LayerNorm → h [..., 2F] → GEGLU → [..., F] → dropout → [..., D]
 *
 * with a gradient in closed form that keeps x and h: autodiff would keep five times as much.
 */
export function feedForward(
  x: tf.Tensor,
  weights: FeedForwardWeights,
  config: FeedForwardConfig,
  {training, seed}: FeedForwardCall,
): tf.Tensor {
  if (x.size === 0) return nothing([x, ...Object.values(weights)], x.shape);
  const rate = training ? config.dropout : 0;
  const rows = x.size / config.dim;
  const dropped = (y: tf.Tensor) =>
    rate === 0 ? y : tf.mul(y, keepElements([rows, config.inner], rate, seed));
  const names = ['norm/gamma', 'norm/beta', 'to_hidden/kernel', 'to_out/kernel'] as const;
  return closedFormKeeping([x, ...names.map((name) => weights[name])], {
    forward([x, gamma, beta, first, last]) {
      const h = projected(tf.reshape(x, [rows, config.dim]), first, {gamma, beta});
      return [tf.reshape(tf.matMul(dropped(geglu(h)), last), x.shape), h];
    },
    gradients(dy, [x, gamma, beta, first, last], [h]) {
      const tokens = tf.reshape(x, [rows, config.dim]);
      const dOut = tf.reshape(dy, [rows, config.dim]);
      const dLast = tf.tidy(() => matMul(dropped(geglu(h)), dOut, true, false));
      const dH = tf.tidy(() => gegluGradient(dropped(matMul(dOut, last, false, true)), h));
      const [dTokens, dFirst, ...dNorm] = projectGradients(dH, tokens, first, {gamma, beta});
      return [tf.reshape(dTokens, x.shape), ...dNorm, dFirst, dLast];
    },
  });
}
