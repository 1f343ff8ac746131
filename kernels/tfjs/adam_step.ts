/**
 * One variable's step of Adam in one pass over memory, each operation rounded to float32 as TF.js's
 * kernels round. With g the gradient,
 *
 *     m' = β1 m + (1 − β1) g,   v' = β2 v + (1 − β2) g²,
 *     w' = w − rate · (m' / (1 − β1^t)) / (√(v' / (1 − β2^t)) + ε)
 */
import * as tf from '@tensorflow/tfjs';

import {enter as enterCpu} from '../cpu';
import {directAll} from '../program/direct';
import type {Enter} from '../program/run';
import {enter as enterTensorflow} from '../tensorflow/place';
import type {NodeBackend} from '../tensorflow/values';
import {enter as enterWasm} from '../wasm';
import type {CpuBackend} from './cpu_backend';
import type {WasmBackend} from './wasm_backend';

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

/** A backend: the place of a call of the program, and without it, its values and its tensors. */
interface Memory {
  enter: Enter;
  values(backend: unknown, info: tf.TensorInfo): Values;
  make(backend: unknown, shape: number[], values: Values): tf.TensorInfo;
}

const MEMORIES: Record<string, Memory> = {
  cpu: {
    enter: enterCpu,
    values: (backend, {dataId}) => (backend as CpuBackend).data.get(dataId).values as Values,
    make: (backend, shape, values) => (backend as CpuBackend).makeTensorInfo(shape, 'float32', values), // prettier-ignore
  },
  wasm: {
    enter: enterWasm,
    values: (backend, info) => (backend as WasmBackend).typedArrayFromHeap(info) as Values,
    make(backend, shape, values) {
      const made = (backend as WasmBackend).makeOutput(shape, 'float32');
      (backend as WasmBackend).typedArrayFromHeap(made).set(values);
      return made;
    },
  },
  // the moments then stay in JavaScript, since nothing native asks for them: only the gradient is copied
  tensorflow: {
    enter: enterTensorflow,
    values: (backend, {dataId}) => (backend as NodeBackend).readSync(dataId) as Values,
    make(backend, shape, values) {
      const dataId = (backend as NodeBackend).write(values, shape, 'float32');
      return {dataId, shape, dtype: 'float32'};
    },
  },
};

function kernelOf({enter, values, make}: Memory): tf.KernelFunc {
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
    const outputs = shapes.map(() => new Float32Array(count));
    step(given.map((info) => values(backend, info)), outputs, rates); // prettier-ignore
    return outputs.map((output) => make(backend, shape, output));
  };
}

export const KERNELS: Record<string, tf.KernelFunc> = Object.fromEntries(
  Object.entries(MEMORIES).map(([backend, memory]) => [backend, kernelOf(memory)]),
);
