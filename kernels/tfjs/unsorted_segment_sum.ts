/**
 * `UnsortedSegmentSum`, the gradient of `tf.gather`. TF.js's wasm backend lacks it, and without it no
 * embedding trains there; its cpu backend goes through all of x once for each segment.
 *
 * x [s..., d...] and segmentIds int32 [s...] -> float32 [numSegments, d...]: row i of the result is the sum
 * of the rows of x whose id is i. Rows of ids that are no segment, negative ones among them, are
 * dropped.
 */
import * as tf from '@tensorflow/tfjs';

import type {CpuBackend} from './cpu_backend';
import type {Replacement} from './replacement';
import type {WasmBackend} from './wasm_backend';

type Inputs = Record<'x' | 'segmentIds', tf.TensorInfo>;
type Values = Float32Array | Int32Array | Uint8Array;

function sumRows(rows: Values, ids: Values, to: Float32Array, numSegments: number): void {
  const width = rows.length / ids.length;
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row];
    if (id < 0 || id >= numSegments) continue;
    for (let c = 0; c < width; c++) to[id * width + c] += rows[row * width + c];
  }
}

const onWasm: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {x, segmentIds} = inputs as unknown as Inputs;
  const {numSegments} = attrs as unknown as {numSegments: number};
  const wasm = backend as WasmBackend;
  const rest = x.shape.slice(segmentIds.shape.length);
  const sums = wasm.makeOutput([numSegments, ...rest], 'float32'); // for int32 too, as on cpu
  // only now: memory that grows takes its views away
  const rows = wasm.typedArrayFromHeap(x);
  const ids = wasm.typedArrayFromHeap(segmentIds);
  sumRows(rows, ids, wasm.typedArrayFromHeap(sums).fill(0) as Float32Array, numSegments);
  return sums;
};

export const SEGMENT_SUM: Replacement = {
  kernel: 'UnsortedSegmentSum',
  backend: 'cpu',
  reason: 'it goes through all rows once for each segment; once is enough',
  make: (theirs) => (call) => {
    const {x, segmentIds} = call.inputs as unknown as Inputs;
    const {numSegments} = call.attrs as unknown as {numSegments: number};
    const {data, makeTensorInfo} = call.backend as CpuBackend;
    if (x.dtype !== 'float32' || segmentIds.shape.length !== 1) return theirs(call);
    const [rows, ids] = [data.get(x.dataId).values, data.get(segmentIds.dataId).values];
    // TF.js's products with a mask carry NaN into all segments
    if (!rows.every(Number.isFinite)) return theirs(call);
    const [, ...rest] = x.shape;
    const sums = new Float32Array(numSegments * tf.util.sizeFromShape(rest));
    sumRows(rows, ids, sums, numSegments);
    return makeTensorInfo.call(call.backend, [numSegments, ...rest], 'float32', sums);
  },
};

/** Registers the kernel on wasm, unless the host has one by now. */
export function registerUnsortedSegmentSum(): void {
  const kernel = {kernelName: 'UnsortedSegmentSum', backendName: 'wasm'};
  if (tf.getKernel(kernel.kernelName, kernel.backendName)) return;
  tf.registerKernel({...kernel, kernelFunc: onWasm});
}
