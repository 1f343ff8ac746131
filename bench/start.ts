import * as tf from '@tensorflow/tfjs';

import {Backend, PACKAGES} from './backend';

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // no greetings from native TensorFlow

/** @throws if the backend does not start, with the reason */
export async function start(backend: Backend, threads: number): Promise<void> {
  // native TensorFlow would take all cores; TF.js's other backends have one thread in Node
  process.env.TF_NUM_INTRAOP_THREADS = process.env.OMP_NUM_THREADS = String(threads);
  process.env.TF_NUM_INTEROP_THREADS = '1';
  tf.enableProdMode(); // no advice on stderr
  const name: string | null = PACKAGES[backend];
  try {
    if (name) await import(name);
    if (!(await tf.setBackend(backend))) throw new Error('TF.js cannot initialise it here');
    tf.tidy(() => tf.add(1, 1).dataSync());
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Error(`backend '${backend}' does not start: ${reason}.`, {cause: error});
  }
}
