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
import {MEMORIES} from './memories';
import {registerOwn} from './own_kernels';
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
      const made = directAll(enter, backend, [x, gamma, dy], shapes, (program, at, to, place) =>
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
          place.scratch(16 * size),
        ),
      );
      return made ?? normGradientsByOps(dy, x, gamma, epsilon).map((one) => kernelResult(backend, one)); // prettier-ignore
    },
  },
]);

export const registerLayerNorm = () => registerOwn(KERNELS);

/** What we use of the layer of TF.js, most of it private. */
interface LayerNormalization {
  /** As it was given, or a list once the layer is built. */
  axis: number | number[];
  epsilon: number;
  gamma: tf.LayerVariable | null;
  beta: tf.LayerVariable | null;
}
type Call = (this: LayerNormalization, inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor | tf.Tensor[]; // prettier-ignore

const BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgl', 'webgpu'];

/** Whether rows of as many numbers as the layer was built for are normalized; TF.js says what is wrong with others. */
function isOfRows(
  {shape, rank, size, dtype}: tf.Tensor,
  {axis, gamma}: LayerNormalization,
): boolean {
  if (dtype !== 'float32' || size === 0 || rank < 2 || rank > 4) return false;
  return [axis].flat().join() === `${rank - 1}` && shape[rank - 1] === gamma?.shape[0];
}

/** The class, which TF.js exports by its name alone. */
const [LayerNormalization] = tf.serialization.SerializationMap.getMap().classNameMap
  .LayerNormalization as unknown as [{prototype: {call: Call}}];

export const LAYER_NORMALIZATION: MethodReplacement<Call> = {
  owner: LayerNormalization.prototype,
  method: 'call',
  name: 'LayerNormalization.call',
  backends: BACKENDS,
  reason: 'it tiles four vectors to the size of its input, and its gradient takes them apart again',
  make: (theirs) =>
    function (inputs, kwargs) {
      const {gamma, beta, epsilon} = this;
      const given = [inputs].flat();
      const isOurs = given.length === 1 && BACKENDS.includes(tf.getBackend()) && isOfRows(given[0], this); // prettier-ignore
      if (!isOurs || !gamma || !beta) return theirs.call(this, inputs, kwargs);
      return layerNorm(given[0], {gamma: gamma.read(), beta: beta.read(), epsilon});
    },
};
