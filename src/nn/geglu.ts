/**
 * GEGLU (Shazeer 2020): the halves a | g of the last axis as a · gelu(g), with the exact gelu,
 *
 *     gelu(g) = g · Φ(g),   Φ(g) = (1 + erf(g / √2)) / 2
 *
 * Hidden values are the largest tensors of a block, so each goes with the step that reads it last: a
 * tidy would hold all of them to its end.
 */
import * as tf from '@tensorflow/tfjs';

/** [rows, 2 · F] -> [rows, F] */
export function geglu(h: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [value, gate] = tf.split(h, 2, 1);
    const gelu = spend(normalCdf(gate), (cdf) => tf.mul(cdf, gate));
    gate.dispose();
    return spend(gelu, (gelu) => tf.mul(gelu, value));
  });
}

/** Of h, given that of its GEGLU. */
export function gegluGradient(dy: tf.Tensor, h: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [value, gate] = tf.split(h, 2, 1);
    const cdf = normalCdf(gate);
    const gelu = tf.mul(gate, cdf);
    const slope = spend(gaussian(gate), (density) => tf.mul(density, gate));
    gate.dispose();
    // gelu' = Φ(g) + g · φ(g)
    const all = spend(slope, (slope) => tf.add(slope, cdf));
    cdf.dispose();
    const ofGate = spend(all, (all) => tf.mul(all, value));
    value.dispose();
    const dGate = spend(ofGate, (ofGate) => tf.mul(ofGate, dy));
    return tf.concat([spend(gelu, (gelu) => tf.mul(gelu, dy)), dGate], 1);
  });
}

/** Φ, of the standard normal distribution. */
function normalCdf(x: tf.Tensor): tf.Tensor {
  const erf = spend(tf.mul(x, Math.SQRT1_2), (x) => tf.erf(x));
  return spend(
    spend(erf, (erf) => tf.add(erf, 1)),
    (twice) => tf.mul(twice, 0.5),
  );
}

/** φ, its density. */
function gaussian(x: tf.Tensor): tf.Tensor {
  const exponent = spend(tf.square(x), (square) => tf.mul(square, -0.5));
  return spend(
    spend(exponent, (exponent) => tf.exp(exponent)),
    (exp) => tf.mul(exp, 1 / Math.sqrt(2 * Math.PI)),
  );
}

/** What a step makes of a tensor that nothing reads after it. */
function spend(x: tf.Tensor, step: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  const y = step(x);
  x.dispose();
  return y;
}
