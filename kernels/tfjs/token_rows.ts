/** Registers small products of a token at a time, on the backends whose memory the program reads. */
import * as tf from '@tensorflow/tfjs';

import {unsupportedEngine} from '../program/module';
import {tokenRowsKernel} from '../program/token_rows';
import {MEMORIES} from './memories';

/** By the names that `src/nn/token_rows.ts` asks for. */
const KERNELS = {LocalAttentionCombine: 'combine', LocalAttentionDots: 'dots'} as const;

export function registerTokenRows(): void {
  if (unsupportedEngine() !== null) return;
  for (const {backend: backendName, enter} of MEMORIES) {
    for (const [kernelName, name] of Object.entries(KERNELS)) {
      // an ESM and a CommonJS copy of this package may share one TF.js
      if (tf.getKernel(kernelName, backendName)) continue;
      tf.registerKernel({kernelName, backendName, kernelFunc: tokenRowsKernel(name, enter)});
    }
  }
}
