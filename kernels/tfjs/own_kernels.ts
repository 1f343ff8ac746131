/** Kernels that TF.js does not have, for the operations of ours that ask for them by name. */
import * as tf from '@tensorflow/tfjs';

import {unsupportedEngine} from '../program/module';

/** Registers those that are not there: an ESM and a CommonJS copy of this package may share one TF.js. */
export function registerOwn(kernels: readonly tf.KernelConfig[]): void {
  if (unsupportedEngine() !== null) return;
  for (const one of kernels) {
    if (!tf.getKernel(one.kernelName, one.backendName)) tf.registerKernel(one);
  }
}
