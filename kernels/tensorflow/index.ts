/**
 * Local attention on TF.js's tensorflow backend, that of Node: the WebAssembly program, on copies.
 *
 * Native operations over windows that stay in the cache were tried instead. They take 1.1 times as long
 * at windows of 256 and 512, on two threads 1.4 times, and have neither rotary nor a gradient then. Small
 * calls take native operations eight times as long: docs/performance.md has the numbers. Copies
 * take a twentieth of the time.
 */
import * as tf from '@tensorflow/tfjs';

import type {FusedBackend} from '../../src/attention/fused';
import type {Problem} from '../../src/attention/problem';
import {queriesTogether, unsupportedSize} from '../program/call';
import {unsupportedMemory} from '../program/memory';
import {unsupportedEngine} from '../program/module';
import {backwardKernel, forwardKernel} from '../program/run';
import {partsOf} from './parts';
import {Kernel, inParts} from './run';
import type {NodeBackend} from './values';

const ON_A_GPU = 'TensorFlow computes on a GPU here, and the kernel would on the processor';

const forward: Kernel = {
  of: forwardKernel,
  values: ({headDim, valueDim}) => 2 * headDim + 2 * valueDim + 2,
  results: ({batch, heads, length}, {v}) => [{shape: v.shape}, {shape: [batch, heads, length, 2]}],
};

const backward: Kernel = {
  of: backwardKernel,
  values: ({headDim, valueDim}) => 4 * headDim + 4 * valueDim + 2,
  results(_, {q, k, v, bias}) {
    const own = [q, k, v].map(({shape}) => ({shape}));
    return bias ? [...own, {shape: bias.shape, isSum: true}] : own;
  },
};

function unsupported(p: Problem): string | null {
  if ((tf.backend() as unknown as NodeBackend).isUsingGpuDevice) return ON_A_GPU;
  const [part] = partsOf(p, backward.values(p)); // of no sequence there is none
  return unsupportedEngine() ?? unsupportedSize(part?.problem ?? p) ?? unsupportedMemory();
}

export const tensorflow: FusedBackend = {
  backendName: 'tensorflow',
  forward: {unsupported, run: inParts(forward)},
  backward: {unsupported, run: inParts(backward)},
  queriesTogether,
};
