/** What webgpu's kernels refuse, in words; by 'auto' it is composed. */
import * as tf from '@tensorflow/tfjs';

import {WebGpuBackend, whyNotBackend} from '../../kernels/webgpu/backend';
import {whyNotSeam} from '../../kernels/webgpu/probe';
import {whyNotSize} from '../../kernels/webgpu/size';
import {localAttention} from '../../src';
import {problemOf} from '../../src/attention/problem';
import {resolveConfig} from '../../src/attention/config';
import {living} from '../support/close';
import {gpu, onWebgpu} from './on_webgpu';

function problem(shape: number[]) {
  const config = resolveConfig('localAttention', {windowSize: 4, autopad: true});
  return problemOf('localAttention', {q: shape, k: shape, v: shape}, config, {});
}

/** Of a device that grants what WebGPU guarantees. */
const LIMITS = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
};
const withLimits = (limits: Partial<typeof LIMITS>) =>
  ({device: {limits: {...LIMITS, ...limits}}}) as unknown as WebGpuBackend;

describe('a device', () => {
  test('with the least limits computes what fits', () => {
    expect(whyNotSize(problem([2, 30, 256]), withLimits({}))).toBeNull();
  });

  test.each([
    [
      {maxStorageBuffersPerShaderStage: 7},
      'the device lets a shader bind 7 buffers, and 8 are needed',
    ],
    [
      {maxComputeWorkgroupStorageSize: 8192},
      'the device has 8192 bytes of workgroup memory, and 16384 are needed',
    ],
    [
      {maxStorageBufferBindingSize: 2 ** 15},
      'the call needs a buffer of 0.1 MiB, and the device binds 0.0 MiB at the most',
    ],
  ])('with %j does not, and says why', (limits, reason) => {
    expect(whyNotSize(problem([2, 300, 32]), withLimits(limits))).toBe(reason);
  });

  test('has 256 channels of a head at the most', () => {
    expect(whyNotSize(problem([1, 8, 258]), withLimits({}))).toBe(
      'a head has 258 channels, and 256 are the most',
    );
  });
});

describe('another version of TF.js', () => {
  test('without a method that is used', () => {
    expect(whyNotBackend({makeTensorInfo: () => null})).toBe(
      'this version of TF.js has no disposeData in its WebGPU backend',
    );
  });
});

onWebgpu('on webgpu', () => {
  test('a TF.js that compiles programs itself is told from one that takes ours', () => {
    expect(whyNotSeam(gpu())).toBeNull();
    const other = Object.create(gpu()) as WebGpuBackend;
    other.runWebGPUProgram = (_program, _inputs, _dtype, _uniforms, output) => output;
    expect(whyNotSeam(other)).toBe('this version of TF.js takes no pipeline from a program');
    const broken = Object.create(gpu()) as WebGpuBackend;
    broken.runWebGPUProgram = () => {
      throw new Error('no such binding');
    };
    expect(whyNotSeam(broken)).toBe(
      'this version of TF.js runs no program of ours (Error: no such binding)',
    );
  });

  test('more channels than 256 are refused by name, composed by auto, and leave nothing', async () => {
    const x = tf.ones([1, 4, 258]);
    const before = living();
    const by = (implementation: 'fused' | 'auto') =>
      localAttention(x, x, x, {windowSize: 4, implementation});
    expect(() => by('fused')).toThrow(
      "[localAttention] no fused kernel on 'webgpu': a head has 258 channels, and 256 are the most; " +
        "use implementation: 'auto' or 'composite'",
    );
    expect(living()).toEqual(before);
    expect((await by('auto').data())[0]).toBeCloseTo(1);
  });

  test.each([1, 2, 3, 4, 5])('where dispatch %i fails, its call leaves nothing', (failing) => {
    const x = tf.randomUniform([1, 9, 6]);
    const attnBias = tf.ones([4, 12]);
    const attend = (x: tf.Tensor, attnBias: tf.Tensor) =>
      localAttention(x, x, x, {windowSize: 4, autopad: true, implementation: 'fused'}, {attnBias});
    tf.grads(attend)([x, attnBias]);
    const backend = gpu();
    const {runWebGPUProgram} = backend;
    const make = jest.spyOn(backend, 'makeTensorInfo');
    let left = failing;
    backend.runWebGPUProgram = function (...args) {
      if (args[0].shaderKey.startsWith('LocalAttention') && --left === 0)
        throw new Error('planted');
      return runWebGPUProgram.apply(this, args);
    };
    expect(() => tf.grads(attend)([x, attnBias])).toThrow('planted');
    backend.runWebGPUProgram = runWebGPUProgram;
    const made = make.mock.results.map(({value}) => (value as tf.TensorInfo).dataId);
    make.mockRestore();
    // what is given back goes with the commands that used it
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    // where the gradient fails, TF.js keeps what it had saved for it: the output and its statistics
    const {tensorMap} = backend as unknown as {tensorMap: {has(id: object): boolean}};
    const saved = failing === 1 ? 0 : 2;
    expect(made.filter((id) => tensorMap.has(id))).toHaveLength(saved);
  });
});
