/** Tests of the kernels of webgpu, where this run covers it. */
import * as tf from '@tensorflow/tfjs';

import '../../src';
import type {WebGpuBackend} from '../../kernels/webgpu/backend';
import {BACKENDS, useBackend} from '../support/backends';
import type {Case} from '../support/cases';
import {expectClose} from '../support/close';
import {tensorsOf} from '../support/inputs';
import {run} from '../support/run';
import {truthOf} from '../support/truth';

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

/** A test of each case on the current backend; an emulated GPU compiles for a quarter of a minute. */
export function testAgainstLoops(cases: readonly Case[]): void {
  test.each(cases.map((c) => [c.name, c] as const))(
    'gives the numbers and gradients of the loops: %s',
    async (_, c) => {
      const {values, wanted} = truthOf(c);
      const results = run(c, tensorsOf(c, values), 'fused');
      for (const [at, {name, want, tolerance}] of wanted.entries()) {
        await expectClose(name, results[at], want, tolerance);
      }
    },
    120_000,
  );
}
