/**
 * A step of Adam on cpu and wasm in one pass over memory. TF.js composes it of fourteen kernels a
 * variable, a third of all kernels of a step. With g the gradient,
 *
 *     m' = β1 m + (1 − β1) g,   v' = β2 v + (1 − β2) g²,
 *     w' = w − rate · (m' / (1 − β1^t)) / (√(v' / (1 − β2^t)) + ε)
 *
 * each operation rounded to float32, as TF.js's kernels round: the bits are the same.
 */
import * as tf from '@tensorflow/tfjs';

import {directAll} from '../program/direct';
import {enter} from '../wasm';
import type {CpuBackend} from './cpu_backend';
import type {MethodReplacement} from './replacement';
import type {WasmBackend} from './wasm_backend';

/** What we use of tf.AdamOptimizer, most of it protected. */
interface Adam {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: tf.Variable;
  accBeta2: tf.Variable;
  accumulatedFirstMoment: Moment[];
  accumulatedSecondMoment: Moment[];
  incrementIterations(): void;
}
interface Moment {
  originalName: string;
  variable: tf.Variable;
}
type Gradients = tf.NamedTensorMap | {name: string; tensor: tf.Tensor}[];
type Apply = (this: Adam, gradients: Gradients) => void;

interface Rates extends Pick<Adam, 'learningRate' | 'beta1' | 'beta2' | 'epsilon'> {
  /** 1 − β1^t and 1 − β2^t. */
  left1: number;
  left2: number;
}
type Values = Float32Array;

const STEP = 'LocalAttentionAdamStep';
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

const onCpu: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const cpu = backend as CpuBackend;
  const values = INPUTS.map((name) => cpu.data.get(inputs[name]!.dataId).values as Values);
  const {shape} = inputs.value!;
  const outputs = [0, 1, 2].map(() => new Float32Array(values[2].length));
  step(values, outputs, attrs as unknown as Rates);
  return outputs.map((output) => cpu.makeTensorInfo(shape, 'float32', output));
};

/** By the program, which computes four numbers at once, or without it as on cpu. */
const onWasm: tf.KernelFunc = ({inputs, attrs, backend}) => {
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
  const wasm = backend as WasmBackend;
  const outputs = shapes.map(() => wasm.makeOutput(shape, 'float32'));
  // only now: memory that grows takes its views away
  const valuesOf = (info: tf.TensorInfo) => wasm.typedArrayFromHeap(info) as Values;
  step(given.map(valuesOf), outputs.map(valuesOf), rates);
  return outputs;
};

const KERNELS: Record<string, tf.KernelFunc> = {cpu: onCpu, wasm: onWasm};

/** What stands for a variable at place i in a list of moments, made as TF.js makes it. */
function momentOf(moments: Moment[], i: number, originalName: string, value: tf.Variable) {
  const variable = () => tf.tidy(() => tf.zerosLike(value).variable(false));
  return (moments[i] ??= {originalName, variable: variable()}).variable;
}

function apply(adam: Adam, gradients: Gradients): void {
  const {learningRate, beta1, beta2, epsilon} = adam;
  tf.tidy(() => {
    const [left1, left2] = [adam.accBeta1, adam.accBeta2].map(
      (acc) => tf.sub(1, acc).dataSync()[0],
    );
    const rates = {learningRate, beta1, beta2, epsilon, left1, left2};
    entriesOf(gradients).forEach(([name, gradient], i) => {
      const value = tf.engine().registeredVariables[name];
      const firstMoment = momentOf(adam.accumulatedFirstMoment, i, `${name}/m`, value);
      const secondMoment = momentOf(adam.accumulatedSecondMoment, i, `${name}/v`, value);
      if (gradient == null) return;
      const inputs = {firstMoment, secondMoment, value, gradient};
      const made = tf.engine().runKernel(STEP, inputs, rates) as tf.Tensor[];
      [firstMoment, secondMoment, value].forEach((variable, k) => variable.assign(made[k]));
    });
    adam.accBeta1.assign(tf.mul(adam.accBeta1, beta1));
    adam.accBeta2.assign(tf.mul(adam.accBeta2, beta2));
  });
  adam.incrementIterations();
}

function entriesOf(gradients: Gradients): [string, tf.Tensor | null][] {
  if (!Array.isArray(gradients)) return Object.entries(gradients);
  return gradients.map(({name, tensor}) => [name, tensor]);
}

/** Whether all is as TF.js makes it, in the memory of a backend that has our kernel. */
function isOurs(gradients: Gradients): boolean {
  if (!Object.hasOwn(KERNELS, tf.getBackend())) return false;
  return entriesOf(gradients).every(([name, gradient]) => {
    const value: tf.Variable | undefined = tf.engine().registeredVariables[name];
    if (value?.dtype !== 'float32') return false;
    return gradient == null || (gradient.dtype === 'float32' && tf.util.arraysEqual(gradient.shape, value.shape)); // prettier-ignore
  });
}

export const ADAM: MethodReplacement<Apply> = {
  owner: tf.AdamOptimizer.prototype as unknown as {applyGradients: Apply},
  method: 'applyGradients',
  name: 'AdamOptimizer.applyGradients',
  backends: Object.keys(KERNELS),
  reason: 'it runs fourteen kernels a variable; one pass over memory gives the same bits',
  make(theirs) {
    for (const [backendName, kernelFunc] of Object.entries(KERNELS)) {
      if (tf.getKernel(STEP, backendName)) continue;
      tf.registerKernel({kernelName: STEP, backendName, kernelFunc});
    }
    return function (gradients) {
      if (isOurs(gradients)) apply(this, gradients);
      else theirs.call(this, gradients);
    };
  },
};
