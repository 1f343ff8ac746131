/** A device with no more than WebGPU guarantees: 16 KiB of workgroup memory, so fewer columns are held. */
import * as tf from '@tensorflow/tfjs';

import type {WebGPUBackend} from '@tensorflow/tfjs-backend-webgpu';
import {webgpu} from '../../kernels/webgpu';
import {registerFused} from '../../src/attention/fused';
import {BACKENDS} from '../support/backends';
import type {Case} from '../support/cases';
import {checkGpuErrors, expectNoGpuErrors, watchGpu} from '../support/gpu_errors';
import {testAgainstLoops} from './on_webgpu';

const NAME = 'webgpu-least';

const CASES: Case[] = [
  {name: '64 channels', config: {windowSize: 40, autopad: true, causal: true}, shape: [1, 3, 97, 64]}, // prettier-ignore
  {name: '72 and 100 channels, xpos', config: {windowSize: 13, autopad: true, useXpos: true}, shape: [1, 3, 44, 72], dv: 100, bias: {heads: 3}}, // prettier-ignore
];

(BACKENDS.includes('webgpu') ? describe : describe.skip)('on the least device', () => {
  beforeAll(async () => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- where it is there
    const {WebGPUBackend: Backend} = require('@tensorflow/tfjs-backend-webgpu') as {
      WebGPUBackend: typeof WebGPUBackend;
    };
    const adapter = (await navigator.gpu.requestAdapter())!;
    const device = await adapter.requestDevice();
    expect(device.limits.maxComputeWorkgroupStorageSize).toBe(16384);
    tf.registerBackend(NAME, () => new Backend(device, adapter.info) as never);
    tf.copyRegisteredKernels('webgpu', NAME);
    registerFused({...webgpu, backendName: NAME});
    await tf.setBackend(NAME);
    watchGpu(tf.backend());
  });
  beforeEach(expectNoGpuErrors);
  afterEach(checkGpuErrors);

  testAgainstLoops(CASES);
});
