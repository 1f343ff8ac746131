/** The values of tensors on TF.js's tensorflow backend: what it keeps in JavaScript, and what not. */
import * as tf from '@tensorflow/tfjs';
import type {TensorInfo} from '@tensorflow/tfjs';

import {sizeOf} from '../program/memory';
import {Values, readable} from '../program/values';
import type {Span} from './parts';

/** What we use of NodeJSKernelBackend. */
export interface NodeBackend {
  /** Of a package for GPUs that has found one. */
  readonly isUsingGpuDevice: boolean;
  /** Values stay in JavaScript until a native operation asks for them. */
  readonly tensorMap: {get(id: object): {values: Values | null}};
  readSync(id: object): Values;
  write(values: Float32Array, shape: number[], dtype: 'float32'): object;
  disposeData(id: object): boolean;
}

/** A tensor of some values of another one, that are not read yet. */
export interface Cut extends TensorInfo {
  readonly of: TensorInfo;
  readonly from: number;
}

export function cut(of: TensorInfo, {from, size}: Span): Cut {
  return {dataId: of.dataId, dtype: of.dtype, shape: [size], of, from};
}

export function read(backend: NodeBackend, cut: Cut): Float32Array | Uint8Array {
  return readable(valuesOf(backend, cut), cut.dtype);
}

function valuesOf(backend: NodeBackend, {of, from, shape: [size]}: Cut): Values {
  const isHere = backend.tensorMap.get(of.dataId).values !== null;
  if (isHere || size === sizeOf(of.shape)) {
    return backend.readSync(of.dataId).subarray(from, from + size);
  }
  // cut out natively, since whatever is read is copied
  const run = (kernel: string, x: TensorInfo, attrs: tf.NamedAttrMap) =>
    tf.engine().runKernel(kernel, {x: x as tf.Tensor}, attrs) as tf.Tensor;
  const flat = run(tf.Reshape, of, {shape: [-1]});
  const part = run(tf.Slice, flat, {begin: [from], size: [size]});
  flat.dispose();
  const values = backend.readSync(part.dataId);
  part.dispose();
  return values;
}
