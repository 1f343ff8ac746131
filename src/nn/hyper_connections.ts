/**
 * Hyper-connections (Zhu et al. 2024), as hyper-connections 0.4.11 has them: a model keeps S residual
 * streams, and each branch reads a mixture of them and is added to all, by weights that depend on
 * the token. In formulas: r [S, D], the streams of one token.
 *
 *     u_s         = r_s / max(‖r_s‖, 1e-12) · √D · (gamma + 1)
 *     alpha[s, t] = static_alpha[s, t] + dynamic_alpha_scale · tanh(u_s · dynamic_alpha_fn[:, t])
 *     beta[s]     = static_beta[s] + dynamic_beta_scale · tanh(u_s · dynamic_beta_fn)
 *     m_t         = Σ_s alpha[s, t] · r_s,   t = 0 … S
 *     r_s         ← m_{s + 1} + beta[s] · f(m_0)
 */
import * as tf from '@tensorflow/tfjs';

import {nothing} from '../attention/nothing';
import {closedForm} from './closed_form';
import {depthConnection, widthConnection} from './stream_mixing';

/** The parameters by the names that they are saved under. */
export interface HyperConnectionWeights {
  /** [S, S + 1] */
  static_alpha: tf.Tensor;
  /** [D, S + 1] */
  dynamic_alpha_fn: tf.Tensor;
  /** [] */
  dynamic_alpha_scale: tf.Tensor;
  /** [S] */
  static_beta: tf.Tensor;
  /** [D] */
  dynamic_beta_fn: tf.Tensor;
  /** [] */
  dynamic_beta_scale: tf.Tensor;
  /** [D], less one */
  gamma: tf.Tensor;
}

/** The shapes of the parameters for S streams of tokens of size D. */
export function hyperConnectionShapes(
  streams: number,
  dim: number,
): Record<keyof HyperConnectionWeights, number[]> {
  return {
    static_alpha: [streams, streams + 1],
    dynamic_alpha_fn: [dim, streams + 1],
    dynamic_alpha_scale: [],
    static_beta: [streams],
    dynamic_beta_fn: [dim],
    dynamic_beta_scale: [],
    gamma: [dim],
  };
}

/**
 * A branch f around which the streams are connected. Without weights there is one stream, and the
 * connection is a plain residual x + f(x).
 *
 * @param streams [B, n, S, D], or [B, n, D] without weights
 * @param branch f: [B, n, D] -> [B, n, D]
 * @returns like `streams`
 */
export function hyperConnect(
  streams: tf.Tensor,
  weights: HyperConnectionWeights | null,
  branch: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  if (weights === null) return residual(streams, branch(streams));
  const [batch, n, count, dim] = streams.shape;
  const tokens = batch * n;
  if (streams.size === 0) {
    const all = [streams, ...(Object.values(weights) as tf.Tensor[])];
    const output = branch(nothing(all, [batch, n, dim])); // its weights have gradients too
    return nothing([...all, output], streams.shape);
  }
  const residuals = tf.reshape(streams, [tokens, count, dim]);
  const mixed = widthConnection(residuals, weights);
  const output = branch(tf.reshape(mixed.input, [batch, n, dim]));
  const added = depthConnection(mixed, tf.reshape(output, [tokens, dim]));
  return tf.reshape(added, streams.shape);
}

/** x + y, of one shape, which keeps neither for its gradient: tf.add keeps both, for their shapes. */
function residual(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const add = tf.customGrad((x, y) => ({
    value: tf.add(x as tf.Tensor, y as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => [tf.clone(dy), tf.clone(dy)],
  }));
  return add(x, y);
}

/** Copies of x [B, n, D] as S streams: [B, n, S, D]. */
export function expandStreams(x: tf.Tensor, count: number): tf.Tensor {
  const [batch, n, dim] = x.shape;
  if (x.size === 0) return nothing([x], [batch, n, count, dim]);
  return closedForm(
    [x],
    ([x]) => tf.tile(tf.expandDims(x, 2), [1, 1, count, 1]),
    (dy) => [tf.sum(dy, 2)],
  );
}

/** The sum of the streams: [B, n, S, D] -> [B, n, D] */
export function sumStreams(streams: tf.Tensor): tf.Tensor {
  const [batch, n, , dim] = streams.shape;
  if (streams.size === 0) return nothing([streams], [batch, n, dim]);
  return tf.sum(streams, 2);
}
