/**
 * The layer normalization of tf.layers over the last axis. TF.js tiles its four vectors to the size of x for a
 * batch normalization, whose gradient is as many kernels again; here it is a closed form, and on wasm and
 * cpu one kernel each way, which our own layers have too.
 */
import * as tf from '@tensorflow/tfjs';

import {kernelResult} from '../../src/nn/kernel_result';
import {
  LAYER_NORM,
  LAYER_NORM_GRADIENT,
  layerNorm,
  normGradientsByOps,
  normalizedByOps,
} from '../../src/nn/layer_norm';
import {direct, directAll} from '../program/direct';
import {unsupportedEngine} from '../program/module';
import {MEMORIES} from './memories';
import type {MethodReplacement} from './replacement';

const KERNELS: readonly tf.KernelConfig[] = MEMORIES.flatMap(({backend: backendName, enter}) => [
  {
    ...{kernelName: LAYER_NORM, backendName},
    kernelFunc({inputs, attrs, backend}) {
      const [x, gamma, beta] = [inputs.x, inputs.gamma, inputs.beta] as tf.Tensor[];
      const {epsilon} = attrs as {epsilon: number};
      const size = gamma.size;
      const made = direct(enter, backend, [x, gamma, beta], x.shape, (program, at, to) =>
        program.layerNorm(at[0], at[1], at[2], x.size / size, size, epsilon, to),
      );
      return made ?? kernelResult(backend, normalizedByOps(x, gamma, beta, epsilon));
    },
  },
  {
    ...{kernelName: LAYER_NORM_GRADIENT, backendName},
    kernelFunc({inputs, attrs, backend}) {
      const [x, gamma, dy] = [inputs.x, inputs.gamma, inputs.dy] as tf.Tensor[];
      const {epsilon} = attrs as {epsilon: number};
      const size = gamma.size;
      const shapes = [x.shape, gamma.shape, gamma.shape];
      const made = directAll(enter, backend, [x, gamma, dy], shapes, (program, at, to) =>
        program.layerNormGradient(
          at[0],
          at[1],
          at[2],
          x.size / size,
          size,
          epsilon,
          to[0],
          to[1],
          to[2],
        ),
      );
      return made ?? normGradientsByOps(dy, x, gamma, epsilon).map((one) => kernelResult(backend, one)); // prettier-ignore
    },
  },
]);

export function registerLayerNorm(): void {
  if (unsupportedEngine() !== null) return;
  for (const one of KERNELS) {
    // an ESM and a CommonJS copy of this package may share one TF.js
    if (!tf.getKernel(one.kernelName, one.backendName)) tf.registerKernel(one);
  }
}

/** What we use of the layer of TF.js, most of it private. */
interface LayerNormalization {
  /** As it was given, or a list once the layer is built. */
  axis: number | number[];
  epsilon: number;
  gamma: tf.LayerVariable | null;
  beta: tf.LayerVariable | null;
}
type Call = (this: LayerNormalization, inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor | tf.Tensor[]; // prettier-ignore

/** The class, which TF.js exports by its name alone. */
const [LayerNormalization] = tf.serialization.SerializationMap.getMap().classNameMap
  .LayerNormalization as unknown as [{prototype: {call: Call}}];

export const LAYER_NORMALIZATION: MethodReplacement<Call> = {
  owner: LayerNormalization.prototype,
  method: 'call',
  name: 'LayerNormalization.call',
  backends: ['cpu', 'wasm', 'tensorflow', 'webgl', 'webgpu'],
  reason: 'it tiles four vectors to the size of its input, and its gradient takes them apart again',
  make: (theirs) =>
    function (inputs, kwargs) {
      const {gamma, beta, epsilon} = this;
      const [x, ...more] = Array.isArray(inputs) ? inputs : [inputs];
      const isOfRows = [this.axis].flat().join() === `${x.rank - 1}`;
      const isOurs = isOfRows && x.rank > 1 && x.rank < 5 && x.size > 0 && x.dtype === 'float32';
      if (!isOurs || !gamma || !beta || more.length > 0) return theirs.call(this, inputs, kwargs);
      return layerNorm(x, {gamma: gamma.read(), beta: beta.read(), epsilon});
    },
};
