/** Kernels of ours: those that stand for several ops, on the backends that have them, and those in the place of TF.js's. */
import * as tf from '@tensorflow/tfjs';

/** On what `registerFasterKernels` has replaced, the same in every copy of this package. */
export const OURS = Symbol.for('tfjs-local-attention');

/** Whether one is to compute. It has no gradient of its own: a closed form stands around it, and autodiff gets the ops. */
export function hasKernel(name: string): boolean {
  const {gradientDepth, kernelDepth} = tf.engine().state;
  const isTaped = gradientDepth > 0 && kernelDepth === 0;
  return !isTaped && tf.getKernel(name, tf.getBackend()) !== undefined;
}
