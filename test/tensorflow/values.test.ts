/** Where the values of tensors are does not matter: in JavaScript, in TensorFlow, on another backend. */
import * as tf from '@tensorflow/tfjs';

import {localAttention} from '../../src';
import {useBackend} from '../support/backends';
import {digest} from '../support/digest';
import {NodeBackend, onTensorflow, results} from './on_tensorflow';

const CONFIG = {windowSize: 5, implementation: 'fused'} as const;
const SIZES = {leading: [2, 3], n: 35, d: 6, dv: 7};

onTensorflow('tensors', () => {
  beforeAll(() => useBackend('tensorflow'));
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const native = () => (tf.backend() as unknown as NodeBackend).binding.getNumOfTensors();
  const made = () => tf.reshape(tf.range(0, 2 * 35 * 6), [2, 35, 6]);

  test('fresh ones and those of native operations give the same bits', async () => {
    const x = made();
    const values = await tf.sin(x).data();
    const fresh = tf.tensor(values, x.shape);
    expect(digest(localAttention(fresh, fresh, fresh, CONFIG))).toBe(
      digest(localAttention(tf.sin(x), tf.sin(x), tf.sin(x), CONFIG)),
    );
  });

  test('of another backend come over, whatever kind of array holds them there', async () => {
    const keeps = (row: number) => row % 3 > 0;
    const moved = async (backend: string) => {
      await useBackend(backend);
      const q = tf.cast(tf.range(0, 2 * 35 * 6, 1, 'int32'), 'float32'); // on cpu still an Int32Array
      const x = tf.reshape(tf.mul(q, 1), [2, 35, 6]);
      const k = tf.reshape(q, [2, 35, 6]);
      const rows = Array.from({length: 35}, (_, row) => (keeps(row) ? row : 0));
      const mask = tf.reshape(tf.cast(tf.tensor1d(rows), 'bool'), [1, 35]); // not of 0 and 1
      await useBackend('tensorflow');
      return digest(localAttention(x, k, k, CONFIG, {mask: mask as tf.Tensor2D}));
    };
    const here = await moved('tensorflow');
    expect(await moved('cpu')).toBe(here);
  });

  test('of results, native operations compute on', async () => {
    const x = tf.sin(made());
    const out = localAttention(x, x, x, CONFIG);
    const values = await out.data();
    const twice = tf.add(out, out);
    expect(await twice.data()).toEqual(values.map((value) => 2 * value));
    expect(await out.data()).toEqual(values);
  });

  test('a later call does not touch the results of an earlier one', async () => {
    const x = tf.sin(made());
    const [first] = results({...SIZES, config: CONFIG});
    const before = digest(first);
    localAttention(x, x, x, CONFIG);
    expect(digest(first)).toBe(before);
  });

  test('none stays in TensorFlow, from a call in parts neither', () => {
    const large = {leading: [60], n: 1800, d: 22, dv: 30}; // two parts, and three backward
    for (const sizes of [SIZES, large]) {
      const before = native();
      tf.tidy(() => void results({...sizes, config: {windowSize: 5, causal: true}}).map(tf.square));
      expect(native()).toBe(before);
    }
  });
});

onTensorflow('where TensorFlow has found a GPU', () => {
  let backend: NodeBackend;
  beforeAll(async () => {
    await useBackend('tensorflow');
    backend = tf.backend() as unknown as NodeBackend;
  });
  beforeEach(() => void (backend.isUsingGpuDevice = true));
  afterEach(() => void (backend.isUsingGpuDevice = false));

  const REASON =
    "[localAttention] no fused kernel on 'tensorflow': TensorFlow computes on a GPU here, and the " +
    "kernel would on the processor; use implementation: 'auto' or 'composite'";
  const kernels = async (implementation: 'auto' | 'fused') => {
    const x = tf.ones([2, 10, 4]);
    const profile = await tf.profile(() => {
      localAttention(x, x, x, {windowSize: 5, implementation}).dispose();
      return x;
    });
    x.dispose();
    return [...profile.kernelNames];
  };

  test('the composite computes, and the kernel is refused with the reason', async () => {
    expect(await kernels('auto')).toContain('BatchMatMul');
    await expect(kernels('fused')).rejects.toThrow(REASON);
    backend.isUsingGpuDevice = false;
    expect(await kernels('auto')).toContain('LocalAttention');
  });
});
