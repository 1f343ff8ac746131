import * as tf from '@tensorflow/tfjs';

/**
 * GEGLU (Shazeer 2020): the halves a | g of the last axis, as a · gelu(g) with the exact gelu,
 *
 *     gelu(g) = g · Φ(g),   Φ(g) = (1 + erf(g / √2)) / 2
 *
 * and a gradient in closed form, which keeps h alone.
 *
 * @param h [rows, 2 · F]
 * @returns [rows, F]
 */
export function geglu(h: tf.Tensor2D): tf.Tensor2D {
  const operation = tf.customGrad((...args) => {
    const [h, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    save([h]);
    const [value, gate] = halves(h);
    return {
      value: tf.mul(value, tf.mul(gate, normalCdf(gate))),
      gradFunc: (dy: tf.Tensor, [h]: tf.Tensor[]) => gradient(dy, h as tf.Tensor2D),
    };
  });
  return operation(h) as tf.Tensor2D;
}

function gradient(dy: tf.Tensor, h: tf.Tensor2D): tf.Tensor {
  const [value, gate] = halves(h);
  const cdf = normalCdf(gate);
  // gelu' = Φ(g) + g · φ(g)
  const density = tf.mul(tf.exp(tf.mul(tf.square(gate), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const slope = tf.add(cdf, tf.mul(gate, density));
  return tf.concat([tf.mul(dy, tf.mul(gate, cdf)), tf.mul(dy, tf.mul(value, slope))], 1);
}

function halves(h: tf.Tensor2D): tf.Tensor2D[] {
  return tf.split(h, 2, 1);
}

/** Φ, of the standard normal distribution. */
function normalCdf(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}
