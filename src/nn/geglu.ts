/**
 * GEGLU (Shazeer 2020): the halves a | g of the last axis as a · gelu(g), with the exact gelu,
 *
 *     gelu(g) = g · Φ(g),   Φ(g) = (1 + erf(g / √2)) / 2
 *
 * Each step has a tidy of its own: hidden values are the largest tensors of a block.
 */
import * as tf from '@tensorflow/tfjs';

/** [rows, 2 · F] -> [rows, F] */
export function geglu(h: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [value, gate] = tf.split(h, 2, 1);
    return tf.mul(value, tf.mul(gate, normalCdf(gate)));
  });
}

/** Of h, given that of its GEGLU. */
export function gegluGradient(dy: tf.Tensor, h: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [value, gate] = tf.split(h, 2, 1);
    const cdf = normalCdf(gate);
    const dValue = tf.tidy(() => tf.mul(dy, tf.mul(gate, cdf)));
    const dGate = tf.tidy(() => {
      // gelu' = Φ(g) + g · φ(g)
      const density = tf.mul(tf.exp(tf.mul(tf.square(gate), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return tf.mul(dy, tf.mul(value, tf.add(cdf, tf.mul(gate, density))));
    });
    return tf.concat([dValue, dGate], 1);
  });
}

/** Φ, of the standard normal distribution. */
function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5));
}
