/** Which machine computes a call: the place where fused kernels will say whether they can. */
import * as tf from '@tensorflow/tfjs';

/** Why the current backend runs no fused kernel, or null if it does. */
export function refusal(): string | null {
  return `no fused kernel on '${tf.getBackend()}': this version has the composite only`;
}
