import * as tf from '@tensorflow/tfjs';

/** @throws if it does not start */
export async function setBackend(name: string): Promise<void> {
  tf.enableProdMode(); // no advice
  if (!(await tf.setBackend(name))) {
    throw new Error(`backend '${name}' does not start: TF.js cannot initialise it here.`);
  }
}
