/** The backends whose tensors lie in memory that we can read and write. */
import * as tf from '@tensorflow/tfjs';

import {enter as enterCpu} from '../cpu';
import type {Enter} from '../program/run';
import {enter as enterTensorflow} from '../tensorflow/place';
import type {NodeBackend} from '../tensorflow/values';
import {enter as enterWasm} from '../wasm';
import type {CpuBackend} from './cpu_backend';
import type {Values, WasmBackend} from './wasm_backend';

export interface Memory {
  backend: 'wasm' | 'cpu';
  /** The place of a call of our program. */
  enter: Enter;
  /** A new tensor, its values unwritten or zero. */
  make(backend: unknown, shape: number[], dtype: tf.DataType): tf.TensorInfo;
  /** The values of a tensor; a view, which is gone as soon as another tensor is made. */
  values(backend: unknown, info: tf.TensorInfo): Values;
}

export const MEMORIES: readonly Memory[] = [
  {
    backend: 'wasm',
    enter: enterWasm,
    make: (backend, shape, dtype) => (backend as WasmBackend).makeOutput(shape, dtype),
    values: (backend, info) => (backend as WasmBackend).typedArrayFromHeap(info),
  },
  {
    backend: 'cpu',
    enter: enterCpu,
    make(backend, shape, dtype) {
      const size = tf.util.sizeFromShape(shape);
      const values = tf.util.getTypedArrayFromDType(dtype as 'float32', size);
      return (backend as CpuBackend).makeTensorInfo(shape, dtype, values as Float32Array);
    },
    values: (backend, {dataId}) => (backend as CpuBackend).data.get(dataId).values,
  },
];

/** Of tensorflow: values are in JavaScript until something native asks for them, and whatever is read is copied there. */
export const NATIVE: Omit<Memory, 'backend'> = {
  enter: enterTensorflow,
  make(backend, shape) {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    const dataId = (backend as NodeBackend).write(values, shape, 'float32');
    return {dataId, shape, dtype: 'float32'};
  },
  values: (backend, {dataId}) => (backend as NodeBackend).readSync(dataId),
};
