import * as tf from '@tensorflow/tfjs';

import {OURS} from './own_kernel';

/**
 * A B of matrices, either transposed. TF.js's wasm backend computes transposed products ten times slower
 * than plain ones, so that they are transposed first there, unless `registerFasterKernels` has been called.
 */
export function matMul(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean) {
  if (!isSlow()) return tf.matMul(a, b, transposeA, transposeB);
  return tf.tidy(() => {
    const [x, y] = [transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b];
    return tf.matMul(x, y);
  });
}

function isSlow(): boolean {
  const backend = tf.getBackend();
  return backend === 'wasm' && !(OURS in tf.getKernel('BatchMatMul', backend));
}
