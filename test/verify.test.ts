/** verify(): right where attention is right, and where it is not, it says what is wrong. */
import * as tf from '@tensorflow/tfjs';

import {verify} from '../src';
import {BACKWARD, FORWARD} from '../src/attention/fused';
import {RESULTS, errorOf} from '../src/verify/golden';
import {GOLDEN} from '../src/verify/golden.generated';
import {Generator, inputsOf} from '../src/verify/inputs';
import {FLOAT16, FLOAT32, gradientTolerance, outputTolerance} from '../src/verify/tolerance';
import {linesOf} from '../scripts/verify';
import {BACKENDS, useBackend} from './support/backends';
import {living} from './support/close';
import {NaiveConfig, naiveLocalAttention, naiveLocalAttentionGrad} from './support/naive';
import * as support from './support/tolerance';

jest.setTimeout(240_000); // SwiftShader compiles for a while

const DEVICES: Record<string, RegExp> = {
  cpu: /^JavaScript engine$/,
  wasm: /^WebAssembly, SIMD$/,
  tensorflow: /^native TensorFlow$/,
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
    expect(answer.maxError).toBeLessThan(2e-6);
    console.log(linesOf(answer).join('\n'));
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

describe('the cases', () => {
  test('between them are all modes, each in odd sizes', () => {
    const configs = GOLDEN.map(({config}) => config);
    const some = (holds: (config: (typeof configs)[0]) => unknown) => configs.filter(holds).length;
    expect(some((c) => c.causal && !c.exactWindowsize)).toBeGreaterThan(0);
    expect(some((c) => c.causal && c.exactWindowsize)).toBeGreaterThan(0);
    expect(some((c) => !c.causal && !c.exactWindowsize)).toBeGreaterThan(0);
    expect(some((c) => !c.causal && c.exactWindowsize)).toBeGreaterThan(0);
    expect(some((c) => c.useRotaryPosEmb === false)).toBeGreaterThan(0);
    expect(some((c) => c.useXpos && c.causal)).toBeGreaterThan(0);
    expect(some((c) => c.useXpos && !c.causal)).toBeGreaterThan(0);
    expect(some((c) => c.sharedQk)).toBeGreaterThan(0);
    const lengths = GOLDEN.map(({shape, config}) => shape[2] / config.windowSize);
    expect(lengths.some((windows) => windows < 1)).toBe(true);
    expect(lengths.some((windows) => windows % 1 > 0)).toBe(true);
    expect(GOLDEN.filter(({mask}) => mask).length).toBeGreaterThan(1);
    expect(GOLDEN.filter(({bias}) => bias).length).toBeGreaterThan(1);
  });

  test.each(GOLDEN.map((c, seed) => [c.name, c, seed] as const))(
    'the loops in float64 answer alike: %s',
    (_, c, seed) => {
      const generator = new Generator(seed);
      const {q, k, v, dout, bias, mask} = inputsOf(c, generator);
      const naive = {mask: mask ?? undefined, attnBias: bias ?? undefined};
      const config = c.config as NaiveConfig;
      const answer = {
        out: naiveLocalAttention(q, k, v, config, naive),
        ...naiveLocalAttentionGrad(q, k, v, config, naive, dout),
      };
      expect(c.results).toHaveLength(bias ? 5 : 4);
      for (const [at, want] of c.results.entries()) {
        const got = answer[RESULTS[at] as keyof typeof answer]!;
        expect(errorOf(got.data, want, generator)).toBeLessThan(2 ** -23); // stored in 24 bits
      }
    },
  );

  test('two errors that cancel in the sum are seen in their places', () => {
    const [c] = GOLDEN;
    const drawn = () => {
      const generator = new Generator(0);
      return {generator, ...inputsOf(c, generator)};
    };
    const {q, k, v, mask, generator} = drawn();
    const {data} = naiveLocalAttention(q, k, v, c.config as NaiveConfig, {mask: mask!});
    const place = generator.below(data.length); // the first that is compared
    for (const sign of [1, -1]) {
      const got = Float64Array.from(data);
      got[place] += 0.1;
      got[(place + 1) % got.length] += 0.1 * sign;
      expect(errorOf(got, c.results[0], drawn().generator)).toBeGreaterThan(0.2);
    }
  });

  test('tolerances are those of the tests', () => {
    for (const [seed, c] of GOLDEN.entries()) {
      if (c.config.useXpos && !c.config.causal) continue; // there it is counted by test/support/truth.ts
      const inputs = inputsOf(c, new Generator(seed));
      const d = c.shape[3];
      const products = support.largestProduct(inputs.q, inputs.k, c.config.sharedQk ?? false);
      const largestScore = products / Math.sqrt(d) + +(c.bias ?? false);
      const sizes = {d, context: inputs.context, largestScore};
      const tolerance = outputTolerance(c, inputs, FLOAT32);
      expect(tolerance).toBeCloseTo(support.outputTolerance(sizes), 12);
      expect(gradientTolerance(tolerance)).toBeCloseTo(support.gradientTolerance(sizes), 12);
      expect(outputTolerance(c, inputs, FLOAT16) / tolerance).toBe(2 ** 13);
    }
  });
});

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
    expect(failures[0].error).toBe('2 of 3612 numbers are NaN or infinite');
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
