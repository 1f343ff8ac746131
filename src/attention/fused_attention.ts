/** A call computed by a fused kernel of the current backend, and its gradient. */
import * as tf from '@tensorflow/tfjs';

import {refuse} from '../check/errors';
import {compositeGradient} from './composite_gradient';
import {BACKWARD, FORWARD, KernelAttrs, anglesOf, hasFusedGradient} from './fused';
import type {Problem} from './problem';

/** What a fused forward needs and gives: the inputs of its gradient. */
export interface FusedCall extends Tensors {
  out: tf.Tensor;
  /** [batch, heads, n, 2] */
  softmaxStats: tf.Tensor;
}

interface Tensors {
  /** [..., n, d] */
  q: tf.Tensor;
  k: tf.Tensor;
  /** [..., n, dv] */
  v: tf.Tensor;
  bias?: tf.Tensor;
  mask?: tf.Tensor;
}

/** q, k [..., n, d], v [..., n, dv] -> [..., n, dv] */
export function fusedAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, p: Problem): tf.Tensor {
  const {out, softmaxStats} = fusedForward(q, k, v, p);
  softmaxStats.dispose(); // where there is to be a gradient, the engine has saved it
  return out;
}

/** As {@link fusedAttention}, with all that {@link fusedGradients} asks for. */
export function fusedForward(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, p: Problem): FusedCall {
  const tensors: Tensors = {q, k, v, ...(p.bias && {bias: p.bias}), ...(p.mask && {mask: p.mask})};
  const names = Object.keys(tensors) as KernelAttrs['names'];
  const attrs: KernelAttrs = {problem: p, names, ...anglesOf(p)};
  // a list, because the engine saves all inputs of a list, and knows no optional ones by name
  const inputs = Object.values(tensors) as unknown as tf.NamedTensorMap;
  const [out, softmaxStats] = tf.engine().runKernel(FORWARD, inputs, attrs as never) as tf.Tensor[];
  return {...tensors, out, softmaxStats};
}

/** The gradients of q, k, v and the bias, in this order, by a kernel where there is one. */
export function fusedGradients(dout: tf.Tensor, call: FusedCall, p: Problem): tf.Tensor[] {
  const {q, k, v, bias = null, mask = null} = call;
  const names = (['q', 'k', 'v', 'bias', 'mask'] as const).filter((name) => call[name]);
  // anew: the backend may be another by now, and its angles count otherwise
  const attrs = () => ({problem: p, names, ...anglesOf(p)}) as unknown as tf.NamedAttrMap;
  return hasFusedGradient(p)
    ? (tf.engine().runKernel(BACKWARD, {...call, dout} as never, attrs()) as tf.Tensor[])
    : compositeGradient(dout, q, k, v, {...p, bias, mask: mask as tf.Tensor2D | null});
}

tf.registerGradient({
  kernelName: FORWARD,
  saveAllInputs: true,
  outputsToSave: [true, true],
  gradFunc(dys, tensors, attrs) {
    const {problem, names} = attrs as unknown as KernelAttrs;
    const saved = Object.fromEntries(
      [...names, 'out', 'softmaxStats'].map((name, i) => [name, tensors[i]]),
    ) as unknown as FusedCall;
    const gradients = fusedGradients((dys as tf.Tensor[])[0], saved, problem);
    // a mask may come from what is differentiated, but has no slope
    const gradientOf = (i: number) => gradients[i] ?? tf.zeros(tensors[i].shape);
    return Object.fromEntries(names.map((_, i) => [i, () => gradientOf(i)]));
  },
});

tf.registerGradient({
  kernelName: BACKWARD,
  gradFunc() {
    return refuse(
      'localAttention',
      "the fused kernels have no second derivative; use implementation: 'composite' for it",
    );
  },
});
