/** Where a training step of a whole model goes on the current backend, in Node or in a page. */
import * as tf from '@tensorflow/tfjs';
import {registerFasterKernels} from 'tfjs-local-attention';

import {MODELS, batchesOf, compiled} from './index';

const WARM_UP = 2; // steps: memory grows, and shaders are compiled

export interface Row {
  kernel: string;
  calls: number;
  ms: number;
}

export interface Profile {
  kernels: number;
  /** Of the step. */
  ms: number;
  /** The longest first. */
  rows: Row[];
}

export async function profiled(workload: string, faster: boolean): Promise<Profile> {
  if (faster) registerFasterKernels();
  const rows = watch(tf.getBackend());
  const model = compiled(MODELS[workload], 'auto');
  const batches = batchesOf(MODELS[workload]);
  let ms = 0;
  for (const {input, target} of batches.slice(0, WARM_UP + 1)) {
    rows.clear();
    const begin = performance.now();
    await model.trainOnBatch(input, target);
    ms = performance.now() - begin;
  }
  const all = [...rows.values()].sort((a, b) => b.ms - a.ms);
  return {kernels: all.reduce((sum, {calls}) => sum + calls, 0), ms, rows: all};
}

/** Counts and times the kernels of a backend from now on; of one that calls another, both. */
function watch(backend: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const config of tf.getKernelsForBackend(backend)) {
    const {kernelName: kernel, kernelFunc} = config;
    const timed: tf.KernelFunc = (call) => {
      const begin = performance.now();
      const result = kernelFunc(call);
      const row = rows.get(kernel) ?? {kernel, calls: 0, ms: 0};
      row.calls++;
      row.ms += performance.now() - begin;
      rows.set(kernel, row);
      return result;
    };
    tf.unregisterKernel(kernel, backend);
    tf.registerKernel({...config, kernelFunc: timed});
  }
  return rows;
}
