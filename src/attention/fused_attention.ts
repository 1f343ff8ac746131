/** A call computed by a fused kernel of the current backend, and its gradient. */
import * as tf from '@tensorflow/tfjs';

import {refuse} from '../check/errors';
import {compositeGradient} from './composite_gradient';
import {BACKWARD, FORWARD, KernelAttrs, FusedInputs, anglesOf, hasFusedGradient} from './fused';
import type {Problem} from './problem';

/** q, k [..., n, d], v [..., n, dv] -> [..., n, dv] */
export function fusedAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, p: Problem): tf.Tensor {
  const tensors = [q, k, v];
  const names: KernelAttrs['names'] = ['q', 'k', 'v'];
  if (p.bias) {
    tensors.push(p.bias);
    names.push('bias');
  }
  if (p.mask) {
    tensors.push(p.mask);
    names.push('mask');
  }
  const attrs: KernelAttrs = {problem: p, names, ...anglesOf(p)};
  // a list, because the engine saves all inputs of a list, and knows no optional ones by name
  const inputs = tensors as unknown as tf.NamedTensorMap;
  const outputs = tf.engine().runKernel(FORWARD, inputs, attrs as never) as tf.Tensor[];
  outputs[1].dispose(); // where there is to be a gradient, the engine has saved it
  return outputs[0];
}

type Saved = Record<keyof FusedInputs | 'out' | 'softmaxStats', tf.Tensor>;

tf.registerGradient({
  kernelName: FORWARD,
  saveAllInputs: true,
  outputsToSave: [true, true],
  gradFunc(dys, tensors, attrs) {
    const {problem, names} = attrs as unknown as KernelAttrs;
    const saved = Object.fromEntries(
      [...names, 'out', 'softmaxStats'].map((name, i) => [name, tensors[i]]),
    ) as Saved;
    const dout = (dys as tf.Tensor[])[0];
    // anew: the backend may be another by now, and its angles count otherwise
    const gradients = hasFusedGradient(problem)
      ? fusedGradient(dout, saved, {...attrs, ...anglesOf(problem)} as unknown as tf.NamedAttrMap)
      : compositeGradient(dout, saved.q, saved.k, saved.v, {
          ...problem,
          bias: saved.bias ?? null,
          mask: (saved.mask as tf.Tensor2D) ?? null,
        });
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

/** Of q, k, v and the bias, in this order. */
function fusedGradient(dout: tf.Tensor, saved: Saved, attrs: tf.NamedAttrMap): tf.Tensor[] {
  const inputs = {...saved, dout} as unknown as tf.NamedTensorMap;
  return tf.engine().runKernel(BACKWARD, inputs, attrs) as tf.Tensor[];
}
