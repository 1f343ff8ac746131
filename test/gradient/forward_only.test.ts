/** A backend may bring the forward kernel alone, or a backward one for some calls. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {KernelAttrs, FusedBackend, FusedKernel, registerFused} from '../../src/attention/fused';
import {expectClose, living, tensor} from '../support/close';
import {CASES} from '../support/cases';
import {configOf, tensorsOf} from '../support/inputs';
import {truthOf} from '../support/truth';

/** What the cpu backend's own kernel does, under another backend's name. */
const forward: FusedKernel = {
  unsupported: () => null,
  run: (call) => tf.getKernel('LocalAttention', 'cpu')!.kernelFunc(call),
};

function backend(backendName: string, backward?: FusedKernel) {
  const kernels = tf.registerBackend(backendName, () => new tf.MathBackendCPU());
  expect(kernels).toBe(true);
  tf.copyRegisteredKernels('cpu', backendName);
  for (const name of ['LocalAttention', 'LocalAttentionGrad']) {
    tf.unregisterKernel(name, backendName);
  }
  const fused: FusedBackend = {
    backendName,
    forward,
    ...(backward && {backward}),
    queriesTogether: ({windowSize: w}) => (w >= 64 ? w : Math.ceil(64 / w) * w),
  };
  registerFused(fused);
}

const asked: boolean[] = [];

beforeAll(() => {
  backend('forward only');
  backend('backward without masks', {
    unsupported(p) {
      asked.push(p.mask !== null);
      return p.mask ? 'no masks' : null;
    },
    run: (call) => tf.getKernel('LocalAttentionGrad', 'cpu')!.kernelFunc(call),
  });
});

const NAMES = [
  'odd sizes, causal',
  'shared qk, exact, xpos, biased, masked',
  'look back 1, forward 2',
  'a mask by batch',
];
const chosen = NAMES.map((name) => CASES.find((c) => c.name === name)!);

describe.each(['forward only', 'backward without masks'])('%s', (name) => {
  beforeAll(() => void tf.setBackend(name));
  afterAll(() => void tf.setBackend('cpu'));

  test.each(chosen.map((c) => [c.name, c] as const))(
    'a fused call has right gradients: %s',
    async (_, c) => {
      const {values, wanted} = truthOf(c);
      const before = living();
      const {inputs, call, dout: dy, dispose} = tensorsOf(c, values);
      const config = {...configOf(c), implementation: 'fused'} as const;
      const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, attnBias: tf.Tensor) =>
        localAttention(q, k, v, config, {...call, attnBias});
      const {kernelNames} = await tf.profile(() => {
        tf.dispose(tf.grads(f as never)(inputs, dy));
      });
      expect(kernelNames).toContain('LocalAttention');
      const byKernel = name === 'backward without masks' && !c.mask;
      expect(kernelNames.includes('LocalAttentionGrad')).toBe(byKernel);

      const grads = tf.grads(f as never)(inputs, dy);
      for (const [at, {name, want, tolerance}] of wanted.slice(1).entries()) {
        await expectClose(name, grads[at], want, tolerance);
      }
      tf.dispose([inputs, grads, dy, dispose]);
      expect(living().tensors).toBe(before.tensors);
    },
  );
});

test('a mask that its owner has disposed of is still there for the gradient', () => {
  void tf.setBackend('forward only');
  const x = tensor({shape: [1, 8, 4], data: Float64Array.from({length: 32}, (_, i) => i % 5)});
  const gradient = (keepMask: boolean) => {
    const mask = tf.tensor2d([1, 1, 0, 1, 1, 0, 1, 1], [1, 8], 'bool');
    const grad = tf.grad((x: tf.Tensor) => {
      const out = localAttention(x, x, x, {windowSize: 4, implementation: 'fused'}, {mask});
      if (!keepMask) mask.dispose();
      return out;
    })(x);
    return Array.from(grad.dataSync());
  };
  expect(gradient(false)).toEqual(gradient(true));
  void tf.setBackend('cpu');
});

test('attributes tell the kernel the problem, and angles that are the same arrays again', async () => {
  const seen: KernelAttrs[] = [];
  const spy = jest.spyOn(forward, 'run').mockImplementation((call) => {
    seen.push(call.attrs as unknown as KernelAttrs);
    return tf.getKernel('LocalAttention', 'cpu')!.kernelFunc(call);
  });
  tf.registerBackend('watched', () => new tf.MathBackendCPU());
  tf.copyRegisteredKernels('cpu', 'watched');
  for (const name of ['LocalAttention', 'LocalAttentionGrad']) tf.unregisterKernel(name, 'watched');
  registerFused({backendName: 'watched', forward, queriesTogether: () => 64});
  void tf.setBackend('watched');
  tf.tidy(() => {
    const x = tf.randomUniform([2, 3, 8, 4]);
    for (let i = 0; i < 2; i++) localAttention(x, x, x, {windowSize: 4, implementation: 'fused'});
  });
  void tf.setBackend('cpu');
  spy.mockRestore();
  expect(seen[0].problem).toMatchObject({batch: 2, heads: 3, length: 8, headDim: 4, valueDim: 4});
  expect(seen[0].queryAngles).toBe(seen[1].queryAngles);
  expect(seen[0].keyAngles).toBe(seen[1].keyAngles);
});
