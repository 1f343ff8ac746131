/**
 * Windowed attention in ordinary tf ops: the meaning that every kernel is measured by.
 *
 * b: batch times heads; W: windows; w: tokens in one; C: slots of a window's context; N = W · w.
 * All tensors have rank 4 or less, since WebGL and WebGPU pad and select no more. Contraction is
 * matMul throughout: tf.einsum has no gradient on any backend and no kernel on wasm.
 */
import * as tf from '@tensorflow/tfjs';

import {compositeGradient} from './composite_gradient';
import {outputAddend} from './composite_non_finite';
import {cut, prepare} from './composite_sequences';
import {applied, attentionWeights, tablesOf} from './composite_weights';
import type {Problem} from './problem';
import {bucket, lookAround, unbucket} from './windows';

/** q, k [..., n, d], v [..., n, dv] -> [..., n, dv]; differentiable, twice too, by them and the bias. */
export function compositeAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  p: Problem,
): tf.Tensor {
  const inputs = p.bias ? [q, k, v, p.bias] : [q, k, v];
  const operation = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    // the mask too: its owner may dispose it before the gradient is asked for
    save(p.mask ? [...inputs, p.mask] : inputs);
    const gradFunc = (dout: tf.Tensor, saved: tf.Tensor[]) => {
      const [q, k, v, bias = null] = saved.slice(0, inputs.length);
      const mask = p.mask ? (saved[inputs.length] as tf.Tensor2D) : null;
      return compositeGradient(dout, q, k, v, {...p, bias, mask});
    };
    return {value: compute(q, k, v, p), gradFunc};
  });
  return operation(...inputs);
}

/** softmax(q kᵀ + bias over the visible keys) v, dropout between. */
function compute(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, p: Problem): tf.Tensor {
  return tf.tidy(() => {
    const tables = tablesOf(p);
    const {finite, addend} = prepare(q, k, v, p, (given, finite) =>
      outputAddend(given, finite, tables, p),
    );
    const weights = attentionWeights(finite, tables, p);
    const dropped = tables.keep ? applied(weights, (x) => tf.mul(x, tables.keep!)) : weights;
    const values = lookAround(bucket(finite.v, p), p);
    const out = unbucket(tf.matMul(dropped, values) as tf.Tensor4D); // [b, W, w, C] x [b, W, C, dv]
    dropped.dispose();
    const all = tf.add(out, addend) as tf.Tensor3D;
    return tf.reshape(cut(all, p), [...p.leading, p.length, p.valueDim]);
  });
}
