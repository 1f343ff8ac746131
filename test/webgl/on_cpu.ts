/** What a GPU would compile for seconds, to compare with: on cpu. */
import * as tf from '@tensorflow/tfjs';

/** Makes cpu the backend, once the results are there: inputs then move to it. */
export async function goToCpu(results: tf.Tensor[]): Promise<void> {
  await Promise.all(results.map((x) => x.data()));
  tf.env().set('IS_TEST', false); // what moves while a kernel runs would count as its leak
  await tf.setBackend('cpu');
}
