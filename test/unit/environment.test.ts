/** What backends return is of the realm of the tests, native addons included (support/environment). */
import * as tf from '@tensorflow/tfjs';

import {BACKENDS, useBackend} from '../support/backends';

describe.each(BACKENDS)('%s', (name) => {
  beforeAll(() => useBackend(name));

  test.each([
    ['float32', Float32Array],
    ['int32', Int32Array],
    ['bool', Uint8Array],
  ] as const)('%s values are arrays of the realm of the test', async (dtype, TypedArray) => {
    const tensor = tf.tidy(() => tf.cast(tf.reverse1d(tf.tensor1d([0, 1])), dtype));
    const atOnce = name !== 'webgpu'; // which Node cannot read without waiting
    if (atOnce) expect(tensor.dataSync()).toBeInstanceOf(TypedArray);
    expect(await tensor.data()).toStrictEqual(TypedArray.of(1, 0));
    tensor.dispose();
  });
});
