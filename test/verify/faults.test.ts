/** verify() where attention is wrong: it says what is, in which case and result. */
import * as tf from '@tensorflow/tfjs';

import {start} from '../../scripts/start_backend';
import {linesOf} from '../../scripts/verify';
import {verify} from '../../src';
import {BACKWARD, FORWARD} from '../../src/attention/fused';
import {RESULTS} from '../../src/verify/golden';
import {GOLDEN} from '../../src/verify/golden.generated';
import {BACKENDS, useBackend} from '../support/backends';
import {living} from '../support/close';

jest.setTimeout(240_000); // SwiftShader compiles for a while

describe('wrong calls', () => {
  beforeAll(() => useBackend('cpu'));

  test.each([{backend: 'webgpu'}, 'webgpu', 0])('an option is refused: %p', async (given) => {
    await expect((verify as (given: unknown) => unknown)(given)).rejects.toThrow(
      '[verify] it takes no options (tf.setBackend chooses what it verifies), got',
    );
  });
});

/** Stands a kernel of `backend` before the real one; `result` gets what that gives. */
function plant(backend: string, name: string, result: (real: () => Float32Array[]) => unknown) {
  const real = tf.getKernel(name, backend);
  const kernelFunc: tf.KernelFunc = (given) => {
    let infos: tf.TensorInfo[] = [];
    result(() => {
      infos = real.kernelFunc(given) as tf.TensorInfo[];
      const {data} = given.backend as {data: {get(id: object): {values: Float32Array}}};
      return infos.map(({dataId}) => data.get(dataId).values);
    });
    return infos;
  };
  tf.unregisterKernel(name, backend);
  tf.registerKernel({...real, kernelFunc});
  return () => {
    tf.unregisterKernel(name, backend);
    tf.registerKernel(real);
  };
}

describe('a kernel that is wrong', () => {
  beforeAll(() => useBackend('cpu'));
  let heal = () => {};
  let before = living();
  beforeEach(() => (before = living()));
  afterEach(() => {
    heal();
    expect(living()).toEqual(before);
  });
  const named = (result: string) => GOLDEN.map(({name}) => `${name}: ${result}`);

  test('by a factor of 1.001: all outputs fail, by that much', async () => {
    heal = plant(
      'cpu',
      FORWARD,
      (real) => void real()[0].forEach((x, i, out) => (out[i] = 1.001 * x)),
    );
    const {passed, maxError, failures} = await verify();
    expect(passed).toBe(0);
    const outputs = failures.filter(({case: name}) => name.endsWith(': out'));
    expect(outputs.map(({case: name}) => name)).toEqual(named('out'));
    for (const {error, tolerance} of outputs) {
      expect(error).toBeGreaterThan(tolerance);
      expect(error).toBeLessThan(1.1e-3);
    }
    expect(maxError).toBe(Math.max(...failures.map(({error}) => error as number)));
  });

  test.each([1, 2])(
    'in one number of gradient %d: that gradient fails, and no other',
    async (at) => {
      heal = plant('cpu', BACKWARD, (real) => {
        const gradient = real()[at];
        const largest = gradient.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        gradient[gradient.length - 1] += 0.02 * largest;
      });
      const {passed, failures} = await verify();
      expect(passed).toBe(0);
      expect(failures.map(({case: name}) => name)).toEqual(named(RESULTS[at + 1]));
    },
  );

  test('by a NaN, or an infinity: said in words', async () => {
    heal = plant('cpu', BACKWARD, (real) => {
      const [dq] = real();
      dq[0] = NaN;
      dq[1] = -Infinity;
    });
    const {maxError, failures} = await verify();
    expect(failures.map(({case: name}) => name)).toEqual(named('dq'));
    expect(failures[0].error).toBe('2 of 2064 numbers are NaN or infinite');
    expect(maxError).toBe(Infinity);
  });

  test('in the gradient of the bias alone: the cases with a bias fail', async () => {
    heal = plant('cpu', BACKWARD, (real) => void real()[3]?.fill(0));
    const {passed, cases, failures} = await verify();
    const biased = GOLDEN.filter(({bias}) => bias).map(({name}) => `${name}: dAttnBias`);
    expect(failures.map(({case: name}) => name)).toEqual(biased);
    expect(passed).toBe(cases - biased.length);
  });

  test.each([FORWARD, BACKWARD])('by what %s throws: said in its words', async (kernel) => {
    heal = plant('cpu', kernel, () => {
      throw new Error('the device is gone');
    });
    const answer = await verify();
    const {passed, maxError, failures} = answer;
    expect({passed, maxError}).toEqual({passed: 0, maxError: Infinity});
    expect(failures).toEqual(
      GOLDEN.map(({name}) => ({
        case: name,
        error: 'the device is gone',
        tolerance: expect.any(Number),
      })),
    );
    expect(linesOf(answer)[2]).toBe(`  ${GOLDEN[0].name}: the device is gone`);
  });

  test('within its tolerance: no failure', async () => {
    heal = plant(
      'cpu',
      FORWARD,
      (real) => void real()[0].forEach((x, i, out) => (out[i] = x * (1 + 1e-7))),
    );
    expect((await verify()).failures).toEqual([]);
  });
});

const others = BACKENDS.filter((name) => name !== 'cpu');
(others.length > 0 ? test : test.skip)('a backend that changes meanwhile is told', async () => {
  await useBackend('cpu');
  const before = living();
  let calls = 0;
  const heal = plant('cpu', BACKWARD, (real) => {
    real();
    if (++calls === 2) queueMicrotask(() => void tf.setBackend(others[0]));
  });
  await expect(verify()).rejects.toThrow(
    "[verify] the backend was changed from 'cpu' while it ran; wait for its answer.",
  );
  heal();
  await useBackend('cpu');
  expect(living()).toEqual(before);
});

test('a kernel computes each case, forward and backward', async () => {
  await useBackend('cpu');
  const spy = jest.spyOn(tf.engine(), 'runKernel');
  await verify();
  const kernels = spy.mock.calls.map(([name]) => name as string);
  spy.mockRestore();
  expect(kernels.filter((name) => name === FORWARD)).toHaveLength(GOLDEN.length);
  expect(kernels.filter((name) => name === BACKWARD)).toHaveLength(GOLDEN.length);
});

(BACKENDS.includes('webgpu') ? describe : describe.skip)('a kernel that is wrong on webgpu', () => {
  beforeAll(() => useBackend('webgpu'));

  test('by writing nothing: what was there before is no answer', async () => {
    await verify(); // right answers, whose memory is free now
    const real = tf.getKernel(FORWARD, 'webgpu');
    tf.unregisterKernel(FORWARD, 'webgpu');
    tf.registerKernel({
      ...real,
      kernelFunc({inputs, backend}) {
        const gpu = backend as {
          makeTensorInfo(shape: number[], dtype: string): tf.TensorInfo;
          uploadToGPU(id: object): void;
        };
        const [q, , v] = Object.values(inputs) as tf.TensorInfo[];
        const stats = [...q.shape.slice(0, -1), 2];
        const infos = [v.shape, stats].map((shape) => gpu.makeTensorInfo(shape, 'float32'));
        for (const {dataId} of infos) gpu.uploadToGPU(dataId);
        return infos;
      },
    });
    const {passed, failures} = await verify();
    tf.unregisterKernel(FORWARD, 'webgpu');
    tf.registerKernel(real);
    expect(passed).toBe(0);
    const outputs = failures.filter(({case: name}) => name.endsWith(': out'));
    expect(outputs).toHaveLength(GOLDEN.length);
    for (const {error} of outputs) expect(error).toMatch(/^(\d+) of \1 numbers are NaN/);
  });
});

test('npm run verify: webgl, which Node has not, is refused in a sentence', async () => {
  await expect(start('webgl')).rejects.toThrow(
    "backend 'webgl' does not start: webgl is not in Node; call verify() in a page.",
  );
});
