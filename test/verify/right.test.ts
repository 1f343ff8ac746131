/** verify() on every backend: nothing is wrong, nothing is said, nothing is left. */
import * as tf from '@tensorflow/tfjs';

import {verify} from '../../src';
import {FORWARD} from '../../src/attention/fused';
import {GOLDEN} from '../../src/verify/golden.generated';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';

jest.setTimeout(240_000); // SwiftShader compiles for a while

const DEVICES: Record<string, RegExp> = {
  cpu: /^JavaScript engine$/,
  wasm: /^WebAssembly, SIMD(, threads)?$/,
  tensorflow: /^native TensorFlow$/,
  webgl: /\w.*, float(16|32) textures$/,
  webgpu: /\w/,
};

describe.each(BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('every case gives the original’s numbers', async () => {
    const kernel = tf.getKernel(FORWARD, backend);
    const answer = await verify();
    expect(answer).toEqual({
      backend,
      device: expect.stringMatching(DEVICES[backend]),
      implementation: kernel ? 'fused' : 'composite',
      cases: GOLDEN.length,
      passed: GOLDEN.length,
      maxError: expect.any(Number),
      failures: [],
      seconds: expect.any(Number),
    });
    expect(answer.maxError).toBeGreaterThan(0);
    expect(answer.maxError).toBeLessThan(/float16/.test(answer.device) ? 5e-3 : 2e-6);
    const {device, maxError, seconds} = answer;
    console.log(`${backend}, ${device}: ${maxError.toExponential(1)} in ${seconds.toFixed(1)} s`);
  });

  test('prints nothing, and leaves nothing: no tensor, no data, no flag, no other backend', async () => {
    const spies = (['log', 'warn', 'error', 'info'] as const).map((way) =>
      jest.spyOn(console, way).mockImplementation(),
    );
    const flags = jest.spyOn(tf.env(), 'set');
    const before = living();
    await verify();
    expect(living()).toEqual(before);
    expect(tf.getBackend()).toBe(backend);
    for (const spy of [...spies, flags]) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});
