/** Tensors of a call on the device. */
import * as tf from '@tensorflow/tfjs';
import type {TensorInfo} from '@tensorflow/tfjs';

import {factsOf} from '../../src/attention/facts';
import type {FusedInputs, KernelAttrs} from '../../src/attention/fused';
import {anglesIn} from './angles';
import type {WebGpuBackend} from './backend';
import type {Facts} from './run';

/** Notes what a call makes. */
export type Hold = (tensor: TensorInfo) => TensorInfo;

/** The results of `call`; all else that it holds is given back, and where it fails the results too. */
export function within(backend: WebGpuBackend, call: (hold: Hold) => TensorInfo[]): TensorInfo[] {
  const held: TensorInfo[] = [];
  let results: TensorInfo[] = [];
  const hold: Hold = (tensor) => {
    held.push(tensor);
    return tensor;
  };
  try {
    return (results = call(hold));
  } finally {
    for (const one of held) if (!results.includes(one)) backend.disposeData(one.dataId);
  }
}

/** A result, or what one kernel leaves for the next. */
export function makeTensor(backend: WebGpuBackend, shape: number[]): TensorInfo {
  const empty = shape.includes(0) ? new Float32Array(0) : undefined; // of which nobody makes a buffer
  return backend.makeTensorInfo(shape, 'float32', empty);
}

/** The inputs of a call as kernels bind them. */
export interface Bound {
  tensors: Record<string, TensorInfo>;
  facts: Facts;
  /** Numbers of the angles. */
  angles: number;
}

/** What is not there is bound to the queries, and not read. */
export function bind(
  backend: WebGpuBackend,
  given: FusedInputs,
  attrs: KernelAttrs,
  hold: Hold,
): Bound {
  const {problem, queryAngles, keyAngles} = attrs;
  const tensors: Record<string, TensorInfo> = {mask: given.q, bias: given.q};
  for (const [name, tensor] of Object.entries(given) as [string, TensorInfo][]) {
    tensors[name] = name === 'mask' ? tensor : inFloats(tensor);
  }
  const angles = queryAngles && anglesIn(backend, queryAngles, keyAngles!);
  if (angles) hold(angles.info);
  const facts = {
    ...factsOf(problem),
    masked: +(given.mask !== undefined),
    biased: +(given.bias !== undefined),
    keyAngles: angles?.keyAngles ?? 0,
    biasesAt: 0,
    anglesAt: 0,
  };
  return {
    tensors: {...tensors, angles: angles?.info ?? given.q},
    facts,
    angles: angles ? angles.info.shape[0] : 0,
  };

  /** TF.js's cast changes the name of the type and keeps the buffer, so any kind may come. */
  function inFloats(tensor: TensorInfo): TensorInfo {
    if (backend.tensorMap.get(tensor.dataId).dtype === 'float32') return tensor;
    return hold(convert(backend, tensor, hold));
  }
}

/** The same numbers in a buffer of floats, by TF.js's own product with 1, which goes by the buffers. */
function convert(backend: WebGpuBackend, x: TensorInfo, hold: Hold): TensorInfo {
  const one = hold(backend.makeTensorInfo([], 'float32', Float32Array.of(1)));
  const {kernelFunc} = tf.getKernel('Multiply', 'webgpu');
  return kernelFunc({inputs: {a: x, b: one}, backend, attrs: {}}) as TensorInfo;
}
