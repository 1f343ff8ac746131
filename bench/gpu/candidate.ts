import * as tf from '@tensorflow/tfjs';

import {Candidate} from '../candidate';
import {commands} from './commands';

export interface GpuCandidate extends Candidate {
  /** Kernels of TF.js in a call. */
  kernels: number | null;
  /** Calls without waiting for results: ms until one has returned. */
  enqueue?(calls: number): Promise<number>;
}

/** Until the GPU has computed `x`, and so all before it; by reading one number, of which no count is taken. */
export async function wait(x: tf.Tensor): Promise<void> {
  const {count} = commands;
  const one = tf.tidy(() => tf.slice(tf.reshape(x, [-1]), 0, 1));
  // data() of webgl asks again and again with longer and longer pauses
  if (tf.getBackend() === 'webgl') one.dataSync();
  else await one.data();
  tf.dispose(one);
  commands.count = count;
}

/** Runs `compute` and names the kernels that TF.js runs meanwhile. */
export async function kernelsOf<T>(
  compute: () => T,
): Promise<{result: Awaited<T>; kernels: string[]}> {
  const engine = tf.engine();
  const {runKernel} = engine;
  const kernels: string[] = [];
  engine.runKernel = (name, ...args) => {
    kernels.push(name);
    return runKernel.call(engine, name, ...args) as never;
  };
  try {
    return {result: await compute(), kernels};
  } finally {
    engine.runKernel = runKernel;
  }
}
