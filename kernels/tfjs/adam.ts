/**
 * A step of Adam by one kernel a variable on cpu, wasm and tensorflow. TF.js composes it of fourteen, a
 * third of all kernels of a step. The bits are the same.
 */
import * as tf from '@tensorflow/tfjs';

import type {NodeBackend} from '../tensorflow/values';
import {KERNELS, Rates, STEP} from './adam_step';
import type {MethodReplacement} from './replacement';

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
    const rates: Rates & tf.NamedAttrMap = {learningRate, beta1, beta2, epsilon, left1, left2};
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
  if ((tf.backend() as unknown as NodeBackend).isUsingGpuDevice) return false; // of tfjs-node-gpu
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
