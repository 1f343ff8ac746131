/**
 * GatherV2 on wasm, which is the forward pass of an embedding. TF.js finds the place of each number
 * anew; rows can be copied whole.
 */
import * as tf from '@tensorflow/tfjs';

import type {Replacement} from './replacement';
import type {WasmBackend} from './wasm_backend';

interface Attrs {
  axis: number;
  batchDims: number;
}

export const GATHER: Replacement = {
  kernel: 'GatherV2',
  backend: 'wasm',
  reason: 'it copies a number at a time; whole rows are copied at the speed of memory',
  make: (theirs) => (call) => {
    const {x, indices} = call.inputs as unknown as Record<'x' | 'indices', tf.TensorInfo>;
    const {axis, batchDims} = call.attrs as unknown as Attrs;
    const wasm = call.backend as WasmBackend;
    const rank = x.shape.length;
    const at = axis < 0 ? axis + rank : axis;
    const size = x.shape[at];
    const hasRows =
      x.dtype !== 'string' && x.dtype !== 'complex64' && tf.util.sizeFromShape(x.shape) > 0;
    if (batchDims !== 0 || !hasRows || indices.dtype !== 'int32') return theirs(call);
    // it also says which index is wrong
    if (wasm.typedArrayFromHeap(indices).some((id) => id < 0 || id >= size)) return theirs(call);

    const row = tf.util.sizeFromShape(x.shape.slice(at + 1));
    const out = wasm.makeOutput([...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)], x.dtype); // prettier-ignore
    const ids = wasm.typedArrayFromHeap(indices);
    const from = wasm.typedArrayFromHeap(x);
    const to = wasm.typedArrayFromHeap(out);
    for (let block = 0, next = 0; block < from.length; block += size * row) {
      for (let i = 0; i < ids.length; i++, next += row) {
        const begin = block + ids[i] * row;
        to.set(from.subarray(begin, begin + row), next);
      }
    }
    return out;
  },
};
