/** Kernels of ours that stand for several ops, on the backends that have them. */
import * as tf from '@tensorflow/tfjs';

/** Whether one is to compute. It has no gradient of its own: a closed form stands around it, and autodiff gets the ops. */
export function hasKernel(name: string): boolean {
  const {gradientDepth, kernelDepth} = tf.engine().state;
  const isTaped = gradientDepth > 0 && kernelDepth === 0;
  return !isTaped && tf.getKernel(name, tf.getBackend()) !== undefined;
}
