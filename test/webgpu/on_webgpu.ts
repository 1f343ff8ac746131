/** Tests of the kernels of webgpu, where this run covers it. */
import * as tf from '@tensorflow/tfjs';

import '../../src';
import type {WebGpuBackend} from '../../kernels/webgpu/backend';
import {BACKENDS, useBackend} from '../support/backends';

export function onWebgpu(name: string, tests: () => void): void {
  (BACKENDS.includes('webgpu') ? describe : describe.skip)(name, () => {
    beforeAll(() => useBackend('webgpu'));
    beforeEach(() => tf.engine().startScope());
    afterEach(() => tf.engine().endScope());
    tests();
  });
}

export const gpu = () => tf.backend() as unknown as WebGpuBackend;

/** Counts what a function dispatches. */
export function dispatches(f: () => void): number {
  const run = jest.spyOn(gpu(), 'runWebGPUProgram');
  f();
  const ours = run.mock.calls.filter(([{shaderKey}]) => shaderKey.includes('LocalAttention'));
  run.mockRestore();
  return ours.length;
}
