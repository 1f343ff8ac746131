import * as tf from '@tensorflow/tfjs';

import {Candidate} from '../candidate';
import {peakOf} from '../memory';
import {Inputs, What, Workload} from '../workloads';

/** Shared by all candidates: q, k, v, and dout where it is needed. */
export type InputTensors = readonly tf.Tensor3D[];

/** Puts the inputs where the current backend computes. */
export function upload({q, k, v, dout}: Inputs, p: Workload, what: What): InputTensors {
  const given = what === 'forward' ? [q, k, v] : [q, k, v, dout];
  const tensors = given.map((values) => tf.tensor3d(values, [p.heads, p.n, p.d]));
  // some backends wait with it until the first use
  tf.tidy(() => tensors.forEach((x) => tf.slice(x, 0, 1).dataSync()));
  return tensors;
}

/** q, k, v, out: [heads, n, d] */
export type Attend = (q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D) => tf.Tensor;

/** A candidate that is one TF.js function, on the current backend. Its first call is made here. */
export async function tfjsCandidate(
  name: string,
  attend: Attend,
  [q, k, v, dout]: InputTensors,
): Promise<Candidate> {
  const gradients = tf.grads((...x) => attend(...(x as Parameters<Attend>)));
  const compute = () => tf.tidy(() => (dout ? gradients([q, k, v], dout) : [attend(q, k, v)]));

  const first = await peakOf(compute);
  let results = first.results.map((x) => x.dataSync());
  tf.dispose(first.results);
  return {
    name,
    async time(calls) {
      let total = 0;
      for (let call = 0; call < calls; call++) {
        const start = performance.now();
        const tensors = compute();
        results = tensors.map((x) => x.dataSync());
        total += performance.now() - start;
        tf.dispose(tensors);
      }
      return total / calls;
    },
    results: async () => results,
    peakMiB: () => first.peakMiB,
    close() {},
  };
}
