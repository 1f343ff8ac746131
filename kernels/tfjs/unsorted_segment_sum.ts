/**
 * `UnsortedSegmentSum`, which TF.js's wasm backend lacks: it is the gradient of `tf.gather`, and
 * without it no embedding trains there.
 *
 * x [s..., d...] and segmentIds int32 [s...] -> float32 [numSegments, d...]: row i of the result is the sum
 * of the rows of x whose id is i. Rows of ids that are no segment, negative ones among them, are
 * dropped.
 */
import * as tf from '@tensorflow/tfjs';

import type {WasmBackend} from './wasm_backend';

const unsortedSegmentSum: tf.KernelFunc = ({inputs, attrs, backend}) => {
  const {x, segmentIds} = inputs as unknown as Record<'x' | 'segmentIds', tf.TensorInfo>;
  const {numSegments} = attrs as unknown as {numSegments: number};
  const wasm = backend as WasmBackend;
  const rest = x.shape.slice(segmentIds.shape.length);
  const sums = wasm.makeOutput([numSegments, ...rest], 'float32'); // for int32 too, as on cpu
  // only now: memory that grows takes its views away
  const rows = wasm.typedArrayFromHeap(x);
  const ids = wasm.typedArrayFromHeap(segmentIds);
  const to = wasm.typedArrayFromHeap(sums).fill(0);

  const width = rest.reduce((product, size) => product * size, 1);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row];
    if (id < 0 || id >= numSegments) continue;
    for (let c = 0; c < width; c++) to[id * width + c] += rows[row * width + c];
  }
  return sums;
};

/** Registers the kernel, unless the host has one by now. */
export function registerUnsortedSegmentSum(): void {
  const kernel = {kernelName: 'UnsortedSegmentSum', backendName: 'wasm'};
  if (tf.getKernel(kernel.kernelName, kernel.backendName)) return;
  tf.registerKernel({...kernel, kernelFunc: unsortedSegmentSum});
}
