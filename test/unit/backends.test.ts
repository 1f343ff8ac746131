import * as tf from '@tensorflow/tfjs';
import {BACKENDS, useBackend} from '../support/backends';

describe.each(BACKENDS)('%s', (name) => {
  beforeAll(() => useBackend(name));

  const multiply = () =>
    tf.tidy(() => {
      const left = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const right = tf.tensor2d([1, 0, 0, 1, 1, 1], [3, 2]);
      // [2, 3] x [3, 2] -> [2, 2]
      return tf.matMul(left, right);
    });

  test('matMul is right, and runs on the backend it was asked for', async () => {
    const product = multiply();
    expect(tf.getBackend()).toBe(name);
    expect(await product.array()).toEqual([
      [4, 5],
      [10, 11],
    ]);
    product.dispose();
  });

  test.each([
    ['float32', Float32Array],
    ['int32', Int32Array],
    ['bool', Uint8Array],
  ] as const)('%s values are arrays of the realm of the test', async (dtype, TypedArray) => {
    const tensor = tf.tidy(() => tf.cast(tf.reverse1d(tf.tensor1d([0, 1])), dtype));
    expect(tensor.dataSync()).toBeInstanceOf(TypedArray);
    expect(await tensor.data()).toStrictEqual(TypedArray.of(1, 0));
    tensor.dispose();
  });

  test('a profile names the kernels that ran and what they left behind', async () => {
    const profile = await tf.profile(multiply);
    expect(profile.kernelNames).toContain('BatchMatMul');
    expect(profile.newTensors).toBe(1);
    (profile.result as tf.Tensor).dispose();
  });

  test('nothing stays allocated', () => {
    const before = tf.memory().numTensors;
    multiply().dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
