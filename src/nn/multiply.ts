import * as tf from '@tensorflow/tfjs';

/**
 * x W, of matrices, with a gradient that transposes before it multiplies: TF.js's own asks for
 * transposed products, which its wasm backend computes ten times slower than plain ones.
 */
export function multiply(x: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...args) => {
    const [x, weights, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([x, weights]);
    const gradFunc = (dy: tf.Tensor, [x, weights]: tf.Tensor[]) => [
      tf.matMul(dy, tf.transpose(weights)),
      tf.matMul(tf.transpose(x), dy),
    ];
    return {value: tf.matMul(x, weights), gradFunc};
  });
  return operation(x, weights);
}
