/**
 * One variable's step of Adam in one pass over memory, each operation rounded to float32 as TF.js's
 * kernels round. With g the gradient,
 *
 *     m' = β1 m + (1 − β1) g,   v' = β2 v + (1 − β2) g²,
 *     w' = w − rate · (m' / (1 − β1^t)) / (√(v' / (1 − β2^t)) + ε)
 */
import * as tf from '@tensorflow/tfjs';

import {directAll} from '../program/direct';
import {MEMORIES, NATIVE} from './memories';

export interface Rates {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** 1 − β1^t and 1 − β2^t. */
  left1: number;
  left2: number;
}
type Values = Float32Array;

export const STEP = 'LocalAttentionAdamStep';
const INPUTS = ['firstMoment', 'secondMoment', 'value', 'gradient'];

/** [m, v, w, g] -> [m', v', w'] */
function step([m, v, w, g]: Values[], [newM, newV, newW]: Values[], rates: Rates): void {
  const f = Math.fround;
  const {left1, left2} = rates;
  const [beta1, beta2, epsilon] = [f(rates.beta1), f(rates.beta2), f(rates.epsilon)];
  const [rest1, rest2, rate] = [f(1 - rates.beta1), f(1 - rates.beta2), f(-rates.learningRate)];
  for (let i = 0; i < w.length; i++) {
    const first = f(f(m[i] * beta1) + f(g[i] * rest1));
    const second = f(f(v[i] * beta2) + f(f(g[i] * g[i]) * rest2));
    const root = f(f(Math.sqrt(f(second / left2))) + epsilon);
    newM[i] = first;
    newV[i] = second;
    newW[i] = f(f(f(f(first / left1) / root) * rate) + w[i]);
  }
}

function kernelOf({enter, values, make}: typeof NATIVE): tf.KernelFunc {
  return ({inputs, attrs, backend}) => {
    const rates = attrs as unknown as Rates;
    const {beta1, beta2, left1, left2, epsilon, learningRate} = rates;
    const given = INPUTS.map((name) => inputs[name]!);
    const {shape} = inputs.value!;
    const shapes = [shape, shape, shape];
    const count = tf.util.sizeFromShape(shape);
    const computed = directAll(
      enter,
      backend,
      given,
      shapes,
      (program, [m, v, w, g], out) =>
      program.adam(m, v, w, g, count, beta1, 1 - beta1, left1, beta2, 1 - beta2, left2, epsilon, -learningRate, ...out), // prettier-ignore
    );
    if (computed) return computed;
    const outputs = shapes.map(() => make(backend, shape, 'float32'));
    // only now: memory that grows takes its views away
    const valuesOf = (info: tf.TensorInfo) => values(backend, info) as Values;
    step(given.map(valuesOf), outputs.map(valuesOf), rates);
    return outputs;
  };
}

/** By their backends. On tensorflow the moments stay in JavaScript: only the gradient and the value are copied. */
export const KERNELS: Record<string, tf.KernelFunc> = {
  ...Object.fromEntries(MEMORIES.map((memory) => [memory.backend, kernelOf(memory)])),
  tensorflow: kernelOf(NATIVE),
};
