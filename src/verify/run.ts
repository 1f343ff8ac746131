/** One case on the current backend. */
import * as tf from '@tensorflow/tfjs';

import {resolveConfig} from '../attention/config';
import {localAttention} from '../attention/local_attention';
import {planOf} from '../attention/plan';
import type {GoldenCase} from './golden';
import type {Drawn, Inputs} from './inputs';

export type Ran = 'fused' | 'composite';

/** The output and the gradients of a case, [out, dq, dk, dv, dAttnBias], and who computed them. */
export async function resultsOf(
  c: GoldenCase,
  inputs: Inputs,
): Promise<{ran: Ran; results: ArrayLike<number>[]}> {
  poison(inputs);
  const {ran, tensors} = tf.tidy(() => compute(c, inputs));
  try {
    return {ran, results: await Promise.all(tensors.map((tensor) => tensor.data()))};
  } finally {
    tf.dispose(tensors);
  }
}

function compute(c: GoldenCase, inputs: Inputs): {ran: Ran; tensors: tf.Tensor[]} {
  const {q, k, v, dout} = inputs;
  const mask = inputs.mask && tf.tensor(inputs.mask.data, inputs.mask.shape, 'bool');
  const given = [q, k, v, ...(inputs.bias ? [inputs.bias] : [])].map(tensor);
  const config = resolveConfig('verify', c.config);
  const shapes = {q: q.shape, k: k.shape, v: v.shape};
  const {fused} = planOf('verify', shapes, config, {mask, attnBias: given[3]});
  const ran: Ran = fused ? 'fused' : 'composite';
  try {
    const {value, grads} = tf.valueAndGrads((q, k, v, attnBias) =>
      localAttention(q, k, v, {...c.config, implementation: ran}, {mask, attnBias}),
    )(given, tensor(dout));
    return {ran, tensors: [value, ...grads]};
  } catch (error) {
    dropTape();
    throw error;
  }
}

/** Where a gradient throws, TF.js keeps what it has saved for it. */
function dropTape(): void {
  const {state} = tf.engine();
  for (const {saved} of state.activeTape ?? []) tf.dispose(saved ?? []);
}

/**
 * GPUs hand memory on as it is: a kernel that does not run would answer what was there before. So
 * NaN is put where inputs and results will be.
 */
function poison({q, k, v, dout, bias}: Inputs): void {
  const shapes = [q, k, v, dout, ...(bias ? [bias] : [])].map(({shape}) => shape);
  tf.tidy(() => void [...shapes, ...shapes].map((shape) => tf.fill(shape, NaN)));
}

function tensor({shape, data}: Drawn): tf.Tensor {
  return tf.tensor(data, shape);
}
