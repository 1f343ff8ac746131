/**
 * The activation gelu of tf.layers on wasm and cpu. TF.js composes x Φ(x) of five kernels and its gradient of a dozen,
 * each a pass over what is often the largest tensor of a model; here either is one.
 */
import * as tf from '@tensorflow/tfjs';

import {kernelResult} from '../../src/nn/kernel_result';
import {direct} from '../program/direct';
import {unsupportedEngine} from '../program/module';
import {CONSTANT_BYTES} from '../program/module.generated';
import {MEMORIES} from './memories';
import {registerOwn} from './own_kernels';
import type {MethodReplacement} from './replacement';

type Apply = (x: tf.Tensor) => tf.Tensor;

const GELU = 'LocalAttentionGelu';
const GRADIENT = 'LocalAttentionGeluGradient';
const BACKENDS: string[] = MEMORIES.map(({backend}) => backend);

const gelu = (x: tf.Tensor) => tf.engine().runKernel(GELU, {x}) as tf.Tensor;
const gradient = (x: tf.Tensor, dy: tf.Tensor) =>
  tf.engine().runKernel(GRADIENT, {x, dy}) as tf.Tensor;

/** φ, the density of the standard normal distribution. */
function density(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}

/** Φ */
function normal(x: tf.Tensor): tf.Tensor {
  return tf.mul(0.5, tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
}

const KERNELS: tf.KernelConfig[] = MEMORIES.flatMap(({backend: backendName, enter}) => [
  {
    ...{kernelName: GELU, backendName},
    kernelFunc({inputs, backend}) {
      const x = inputs.x as tf.Tensor;
      const made = direct(enter, backend, [x], x.shape, (program, [at], to, place) =>
        program.gelu(at, x.size, to, place.scratch(CONSTANT_BYTES)),
      );
      return (
        made ??
        kernelResult(
          backend,
          tf.tidy(() => tf.mul(x, normal(x))),
        )
      );
    },
  },
  {
    ...{kernelName: GRADIENT, backendName},
    kernelFunc({inputs, backend}) {
      const [x, dy] = [inputs.x, inputs.dy] as tf.Tensor[];
      const made = direct(enter, backend, [x, dy], x.shape, (program, [at, atDy], to, place) =>
        program.geluGradient(at, atDy, x.size, to, place.scratch(CONSTANT_BYTES)),
      );
      return (
        made ??
        kernelResult(
          backend,
          tf.tidy(() => tf.mul(dy, tf.add(normal(x), tf.mul(x, density(x))))),
        )
      );
    },
  },
]);

const GRADIENTS: tf.GradConfig[] = [
  {
    kernelName: GELU,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({x: () => gradient(x, dy as tf.Tensor)}),
  },
  {
    kernelName: GRADIENT,
    inputsToSave: ['x', 'dy'],
    // gelu'' = φ(x) (2 − x²)
    gradFunc: (given, [x, dy]) => ({
      x: () => tf.mul(tf.mul(given as tf.Tensor, dy), tf.mul(density(x), tf.sub(2, tf.square(x)))),
      dy: () => gradient(x, given as tf.Tensor),
    }),
  },
];

/** The class of the activation, which TF.js exports by its name alone. */
const [Gelu] = tf.serialization.SerializationMap.getMap().classNameMap.gelu as unknown as [{prototype: {apply: Apply}}]; // prettier-ignore

export const GELU_ACTIVATION: MethodReplacement<Apply> = {
  owner: Gelu.prototype,
  method: 'apply',
  name: 'gelu',
  backends: BACKENDS,
  reason: 'it composes five kernels, and its gradient of a dozen; either is one pass over memory',
  make(theirs) {
    registerOwn(KERNELS);
    for (const one of GRADIENTS) if (!tf.getGradient(one.kernelName)) tf.registerGradient(one);
    return function (this: unknown, x) {
      const isOurs =
        BACKENDS.includes(tf.getBackend()) && x.dtype === 'float32' && unsupportedEngine() === null;
      return isOurs ? gelu(x) : theirs.call(this, x);
    };
  },
};
